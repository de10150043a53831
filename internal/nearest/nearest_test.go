package nearest_test

import (
	"testing"

	"github.com/craton-fleet/craton/internal/nearest"
)

func TestHint(t *testing.T) {
	t.Parallel()
	known := []string{"hostname", "groups", "vars"}
	for word, want := range map[string]string{
		"host_name": `did you mean "hostname"?`,
		"var":       `did you mean "vars"?`,
		"group":     `did you mean "groups"?`,
		"vasr":      `did you mean "vars"?`,
		"HostName":  `did you mean "hostname"?`,
		"xyz":       `choose from: hostname, groups, vars`,
		"":          `choose from: hostname, groups, vars`,
	} {
		if got := nearest.Hint(word, known); got != want {
			t.Errorf("Hint(%q) = %q, want %q", word, got, want)
		}
	}
	if got := nearest.Hint("x", nil); got != "" {
		t.Errorf("Hint without known words = %q", got)
	}
}

func TestWord(t *testing.T) {
	t.Parallel()
	known := []string{"name", "state", "region", "cloud", "ip_address"}
	for word, want := range map[string]string{
		"nmae": "name", "Name": "name", "stat": "state", "ipaddress": "ip_address", "ip_adress": "ip_address",
		"regoin": "region", "colour": "cloud", "x": "", "kitchen": "", "": "",
	} {
		if got := nearest.Word(word, known); got != want {
			t.Errorf("Word(%q) = %q, want %q", word, got, want)
		}
	}
}

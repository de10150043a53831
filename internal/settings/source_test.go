package settings

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEntries(t *testing.T) {
	t.Parallel()
	v, err := loadWith(t, "ca_path: /etc/ca\npassword: hush-in-the-file\n", map[string]string{"CRATON_TIMEOUT": "1.5", "OS_USERNAME": "deploy"},
		"--retries", "0")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range v.Entries() {
		if e.Source.From == FromFile {
			e.Source.Name = "FILE"
		}
		got[e.Key] = fmt.Sprintf("%v | %s | %s", e.Value(), e.Text(), e.Source)
	}
	for key, want := range map[string]string{
		"url":            " |  | default",
		"username":       "deploy | deploy | environment OS_USERNAME",
		"password":       "******** | ******** | FILE:2",
		"ca_path":        "/etc/ca | /etc/ca | FILE:1",
		"timeout":        "1.5 | 1.5 | environment CRATON_TIMEOUT",
		"retries":        "0 | 0 | flag --retries",
		"validate_certs": "true | true | default",
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
	if len(got) != len(sample.Settings) {
		t.Errorf("%d entries, want those of the one section that was loaded, %d", len(got), len(sample.Settings))
	}
	if text := fmt.Sprintf("%v %+v %#v", v.Entries(), v.Entries(), v.Entries()); strings.Contains(text, "hush") {
		t.Error("printing the entries shows a secret")
	}
}

func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	got := UnknownVariables([]string{
		"CRATON_URLL=x", "CRATON_INVENTORY_LABLES=a=b", "CRATON_ZZ_TOP=", "CRATON_URL=x", "CRATON_CONFIG=x", "CRATON_LISTEN=x",
		"OS_USRNAME=x", "PATH=x", "XCRATON_URL=x",
	})
	want := []Unknown{
		{"CRATON_INVENTORY_LABLES", "CRATON_INVENTORY_LABELS"},
		{"CRATON_URLL", "CRATON_URL"},
		{"CRATON_ZZ_TOP", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestCheckVariables: a variable of an inventory that no setting reads is an error of that inventory, and of no other.
func TestCheckVariables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		entry            string
		craton, iotronic string // parts of the errors; "" is none
	}{
		{"CRATON_INVENTORY_LABLES=web", "CRATON_INVENTORY_LABLES is set, but there is no such setting; did you mean CRATON_INVENTORY_LABELS?", ""},
		{"CRATON_INVENTORY_labels=web", "did you mean CRATON_INVENTORY_LABELS?", ""},
		{"CRATON_INVENTORY_COLOUR=blue", "set one of CRATON_INVENTORY_VARS, ", ""},
		{"CRATON_INVENTORY_=x", "there is no such setting", ""},
		{"CRATON_INVENTORY_LABELS=web", "", ""},
		{"CRATON_INVENTORY_LABLES=", "", ""},
		{"CRATON_INVENTRY_LABELS=web", "", ""}, // not for us to judge
		{"INVENTORY_LABLES=web", "", ""},
		{"CRATON_IOTRONIC_INVENTORY_FILTRES=x", "", "did you mean CRATON_IOTRONIC_INVENTORY_FILTERS?"},
		{"IOTRONIC_INVENTORY_FILTERS=x", "", "did you mean CRATON_IOTRONIC_INVENTORY_FILTERS?"},
		{"IOTRONIC_INVENTORY_FILTRES=x", "", "did you mean CRATON_IOTRONIC_INVENTORY_FILTERS?"},
		{"CRATON_IOTRONIC_INVENTORY_FILTERS=x", "", ""},
	} {
		for section, want := range map[*Section]string{&Inventory: c.craton, &IotronicInventory: c.iotronic} {
			err := section.CheckVariables([]string{"PATH=/bin", c.entry})
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s for %s: %v", c.entry, section.Name, err)
			}
		}
	}
	for _, section := range all() { // every setting of a section is one of its own names
		for _, s := range section.Settings {
			if err := section.CheckVariables([]string{s.Env + "=x"}); err != nil {
				t.Error(err)
			}
		}
	}
}

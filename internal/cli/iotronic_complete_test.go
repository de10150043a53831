package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/iotronictest"
)

// completions returns the words that a shell is offered for the last word of a line behind craton iotronic.
func (a endpoint) completions(t *testing.T, line string) []string {
	t.Helper()
	args := append([]string{"__completeNoDesc", "iotronic", "--iotronic-url", a.url, "--os-token", a.token}, strings.Split(line, " ")...)
	got := runBare(t, args...)
	words := strings.Split(strings.TrimSpace(got.Stdout), "\n")
	if got.Exit != 0 || !strings.HasPrefix(words[len(words)-1], ":") {
		t.Fatalf("%s: %+v", line, got)
	}
	return words[:len(words)-1]
}

// TestIotronicCompletion: subcommands, options, values, names and paths are completed, the last two from the API.
func TestIotronicCompletion(t *testing.T) {
	t.Parallel()
	s, a := town(t)
	old := iotronictest.Start(t, iotronictest.Nodes2016)
	old.Add("nodes", iotronictest.Object{"name": "pi-00", "code": "c0"})
	for line, want := range map[string][]string{
		"board-l":                         {"board-list"},
		"fleet-":                          {"fleet-board-list", "fleet-list", "fleet-show"},
		"board-show ":                     {"gate-01", "pi-01"},
		"board-show p":                    {"pi-01"},
		"board-show pi-01 ":               {},
		"board-delete pi-01 ":             {"gate-01"},
		"board-list --status o":           {"offline", "online"},
		"board-list --sort-d":             {"--sort-dir"},
		"board-list --fields uuid lr":     {"lr_version"},
		"board-show pi-01 --fields na":    {"name"},
		"board-create --fleet r":          {"roofs"},
		"board-update pi-01 extra":        {"extra/", "extra/big=", "extra/rack="},
		"board-update gate-01 e":          {"extra/"},
		"board-update pi-01 s":            {}, // status and session are Iotronic's own
		"board-update pi-01 ty":           {"type="},
		"port-show ":                      {"00000006-0000-4000-8000-000000000006"}, // it has no name
		"node-show ":                      {},                                       // there are none
		"node-power x o":                  {"off", "on"},
		"node-provision x re":             {"rebuild", "rescue"},
		"node-list --maintenance ":        {"false", "true"},
		"board-list --dialect iotronic-n": {"iotronic-nodes", "iotronic-nodes-2016"},
		"help plug":                       {"plugin-list", "plugin-show"},
		"--format y":                      {"yaml"},
	} {
		got := a.completions(t, line)
		begin := line[strings.LastIndexByte(line, ' ')+1:]
		got = slices.DeleteFunc(got, func(w string) bool { return !strings.HasPrefix(w, begin) }) // as the shells do
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if got := (endpoint{old.URL, iotronictest.Admin.Token}).completions(t, "node-show "); !slices.Equal(got, []string{"pi-00"}) {
		t.Errorf("%q", got)
	}
	// Where nobody answers, nothing is said, and at once.
	if got := (endpoint{"http://127.0.0.1:1", ""}).completions(t, "board-show "); len(got) != 0 {
		t.Errorf("%q", got)
	}
	for _, r := range slices.Concat(s.Requests(), old.Requests()) {
		if r.Method != "GET" {
			t.Errorf("a completion sent %s %s", r.Method, r.Path)
		}
	}
	if got := runBare(t, "__completeNoDesc", "help", "iotronic", "board-s"); !strings.Contains(got.Stdout, "board-show\n") {
		t.Errorf("%+v", got)
	}
	if got := runBare(t, "__completeNoDesc", "iot"); got.Stdout != "iotronic\n:4\n" {
		t.Errorf("%+v", got)
	}
}

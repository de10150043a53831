package collection_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// source runs the event source, in the way of ansible-rulebook, until it has put some events on the queue.
func (h *home) source(t *testing.T, arguments map[string]any, events int) (told []map[string]any, said string, code int) {
	t.Helper()
	text, err := json.Marshal(arguments)
	if err != nil {
		t.Fatal(err)
	}
	out, said, code := h.try(t, nil, "python3", filepath.Join(root, "tests/collection/testdata/source.py"),
		filepath.Join(h.dir, fleetDir, "extensions/eda/plugins/event_source/changes.py"), string(text), strconv.Itoa(events))
	for line := range strings.Lines(out) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		told = append(told, e)
	}
	return told, said, code
}

// TestEventSource: what the event source craton.fleet.changes does by itself: arguments and their mistakes, the state
// file, what comes again, and a database that is another one. tests of ansible-rulebook itself are in TestRulebook.
func TestEventSource(t *testing.T) {
	withAnsible(t, func(t *testing.T, h *home) {
		craton, err := program()
		if err != nil {
			t.Fatal(err)
		}
		h.load(t, "clouds: [{name: east, regions: [{name: dfw, hosts: [{name: web-01, ip_address: 10.0.0.1, device_type: server}, {name: web-02, ip_address: 10.0.0.2, device_type: server, variables: {n: own}}]}]}]")
		state := filepath.Join(h.dir, "state", "s.json")
		arguments := func(more ...any) map[string]any {
			a := map[string]any{"url": h.fleet, "state_file": state, "binary": craton, "config": h.write(t, "config.yml", "{}\n")}
			for i := 0; i < len(more); i += 2 {
				a[more[i].(string)] = more[i+1]
			}
			return a
		}
		for want, bad := range map[string]map[string]any{
			"unknown argument sate_file. Did you mean state_file?":      {"sate_file": "x"},
			"unknown argument regions":                                  arguments("regions", []string{"dfw"}), // of the inventory, and would change nothing here
			"state_file is missing":                                     {"url": h.fleet},
			"most_hosts must be an integer of at least 1":               arguments("most_hosts", 0),
			"affecting must be true or false":                           arguments("affecting", "perhaps"),
			"kinds: values cannot contain commas or quotes":             arguments("kinds", []string{"host,region"}),
			"argument --kind: invalid choice: 'hots'":                   arguments("kinds", "hots"),
			"no fleet is configured: set CRATON_URL":                    {"state_file": state, "binary": craton},
			"none.db does not exist":                                    arguments("url", "sqlite:"+h.dir+"/none.db"),
			"cannot run /nonexistent/craton: No such file or directory": arguments("binary", "/nonexistent/craton"),
			"cannot use the state file " + craton + "/s.json":           arguments("state_file", craton+"/s.json"),
			"password must be text":                                     arguments("password", []string{"x"}),
			"hostname must be one of name, ip_address, qualified":       arguments("hostname", "nick"),
		} {
			if !h.newest {
				break
			}
			if told, said, code := h.source(t, bad, 1); code == 0 || len(told) > 0 || !strings.Contains(said, "refused: ") || !strings.Contains(said, want) {
				t.Errorf("want %q; exit %d, %v\n%s", want, code, told, said)
			}
		}

		// The first start begins with what comes from then on.
		set := func(words ...string) {
			t.Helper()
			h.runWith(t, []string{"CRATON_URL=" + h.fleet}, craton, words...)
		}
		source := func(events int, more ...any) (lines []string, said string) {
			t.Helper()
			told, said, code := h.source(t, arguments(more...), events)
			if code != 0 {
				t.Fatal(said)
			}
			for _, e := range told {
				lines = append(lines, fmt.Sprintf("%v %v %v %v", e["action"], e["path"], e["meta"].(map[string]any)["hosts"], e["repeated"]))
			}
			return lines, said
		}
		p := h.start(t, "", nil, filepath.Join(h.bin, "python3"), filepath.Join(root, "tests/collection/testdata/source.py"),
			filepath.Join(h.dir, fleetDir, "extensions/eda/plugins/event_source/changes.py"), fmt.Sprintf(`{"url": %q, "state_file": %q, "binary": %q}`, h.fleet, state, craton), "9")
		eventually(t, p, "it follows", func() bool { _, err := os.Stat(state); return err == nil })
		if _, said, code := h.source(t, arguments(), 1); code == 0 || !strings.Contains(said, "is in use. Each source needs its own") {
			t.Errorf("exit %d\n%s", code, said)
		}
		set("region-vars-set", "dfw", "n=1")
		eventually(t, p, "it tells, and keeps that", func() bool {
			text, _ := os.ReadFile(state)
			return strings.Contains(p.out.String(), `"path": "east/dfw"`) && strings.Contains(string(text), `"count": 1`)
		})
		p.stop(syscall.SIGKILL)
		if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		set("region-vars-set", "dfw", "n=2")
		set("host-vars-set", "web-02", "n=2")
		got, _ := source(3)
		if want := "[update east/dfw [web-01] true update east/dfw [web-01] false update east/dfw/web-02 [web-02] false]"; fmt.Sprint(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		// What is old enough does not come again.
		set("region-vars-set", "dfw", "n=3")
		got, _ = source(4)
		if want := "[update east/dfw [web-01] true update east/dfw [web-01] true update east/dfw/web-02 [web-02] true update east/dfw [web-01] false]"; fmt.Sprint(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if got, _ = source(4, "resend_events", 0); len(got) != 4 {
			t.Errorf("%q", got)
		}
		set("region-vars-set", "dfw", "n=4")
		if got, _ = source(1, "resend_events", 0); fmt.Sprint(got) != "[update east/dfw [web-01] false]" {
			t.Errorf("%q", got)
		}

		// Another database, and a file that is none.
		for _, kept := range []string{`{"cursor": "3-0123456789abcdef", "revision": 900, "count": 1}`, "{"} {
			if err := os.WriteFile(state, []byte(kept), 0o600); err != nil {
				t.Fatal(err)
			}
			if kept == "{" {
				p := h.start(t, "", nil, filepath.Join(h.bin, "python3"), filepath.Join(root, "tests/collection/testdata/source.py"),
					filepath.Join(h.dir, fleetDir, "extensions/eda/plugins/event_source/changes.py"), fmt.Sprintf(`{"url": %q, "state_file": %q, "binary": %q}`, h.fleet, state, craton), "1")
				eventually(t, p, "it goes on", func() bool { text, _ := os.ReadFile(state); return strings.Contains(string(text), "cursor") })
				if !strings.Contains(p.out.String(), "is damaged. Continuing with new changes") {
					t.Error(p.out.String())
				}
				p.stop(syscall.SIGTERM)
				continue
			}
			got, said := source(1)
			if fmt.Sprint(got) != "[reset  [all] false]" || !strings.Contains(said, `craton.fleet.changes: the change log does not know the cursor "3-0123456789abcdef"`) {
				t.Errorf("%q\n%s", got, said)
			}
		}
	})
}

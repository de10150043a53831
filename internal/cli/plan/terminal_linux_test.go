package plan

import (
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/reconcile"
)

// hostile is a plan whose names and values would steer a terminal.
const hostile = `{"craton_plan":1,"hashed_keys":["*secret*"],"counts":{"created":1,"updated":1,"moved":1,"deleted":1,"unchanged":2},
"effects":{"hosts":1,"network_devices":2,"causes":[{"kind":"region","name":"a/\u001b[31mr","key":"n\u202etp","hosts":1,"network_devices":2,"shadowed":3}]},
"changes":[
{"action":"updated","kind":"region","name":"a/\u001b[31mr","fields":["note","variables"],"before":{"note":"","variables":{"secret":"hunter2","gone":1}},"after":{"note":"\u001b]0;x\u0007","variables":{"secret":"hunter3","long":"` + longText + `"}},"level":2,"found":{"id":1,"name":"\u001b[31mr"},"update":{"note":{"value":"\u001b]0;x\u0007"}},"set":{"secret":"hunter3","long":"` + longText + `"},"unset":["gone"]},
{"action":"moved","kind":"host","name":"a/r/h","from":"a/\u001b[2Js/h","level":5,"found":{"id":2,"name":"h"},"move":{"region_id":{"value":1}}},
{"action":"created","kind":"cloud","name":"b","after":{},"level":1,"create":{"name":{"value":"b"}}},
{"action":"deleted","kind":"host","name":"a/r/old","fields":["labels"],"before":{"labels":["x","y"]},"level":5,"found":{"id":3,"name":"old"}}
],"needs":[]}`

const longText = "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789"

// TestTerminal: colours and the width are a terminal's, nothing of the fleet steers it, and secrets are not shown.
func TestTerminal(t *testing.T) {
	p, err := reconcile.ReadPlan(strings.NewReader(hostile))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env   string
		color bool
	}{{"", true}, {"1", false}} {
		t.Setenv("TERM", "xterm")
		t.Setenv("NO_COLOR", c.env)
		tty, other := clitest.Terminal(t, 60)
		if err := printPlan(tty, show.FormatTable, p); err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(clitest.Shown(t, tty, other), "\r\n", "\n")
		if strings.Contains(text, "\x1b[33m") != c.color {
			t.Errorf("NO_COLOR=%s: %q", c.env, text)
		}
		for _, code := range []string{"\x1b[0m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"} {
			if c.color {
				text = strings.ReplaceAll(text, code, "")
			}
		}
		const want = `~ region a/\u001b[31mr
    note    + "\u001b]0;x\u0007"
    gone    - 1
    long    + "0123456789 0123456789 0123456789 0123456789 …
    secret  - (not kept)
            + (not kept)
> host a/r/h  from a/\u001b[2Js/h
+ cloud b
- host a/r/old
    label  - x
           - y

n\u202etp changes on 1 host and 2 network devices of region a/\u001b[31mr; 3 have their own
In total, 1 host and 2 network devices get different values of variables.
1 to create, 1 to update, 1 to move, 1 to delete, 2 unchanged.

Values with … are shortened: use --format json to see one in full.
`
		if text != want {
			t.Errorf("got\n%s\nwant\n%s", text, want)
		}
	}
	var b strings.Builder
	for _, format := range []string{show.FormatJSON, show.FormatYAML, show.FormatCSV, show.FormatTable} {
		if err := printPlan(&b, format, p); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(b.String(), "hunter") || !strings.Contains(b.String(), longText) {
		t.Errorf("a secret is shown, or a value is not:\n%s", b.String())
	}
}

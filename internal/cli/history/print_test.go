package history

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/wording"
)

// escapes are sequences that colour text.
var escapes = regexp.MustCompile("\x1b\\[[0-9]*m")

// hostile returns events with text that would upset a terminal, of somebody who may not be named, and of values that
// are not kept.
func hostile() []*craton.Event {
	at := craton.Timestamp{Time: time.Date(2026, 11, 29, 9, 30, 0, 0, time.UTC)}
	value := func(text, kind, name string) *craton.FromValue {
		return &craton.FromValue{Value: json.RawMessage(text), Kept: true, From: craton.Source{Kind: kind, ID: 7.0, Name: name}}
	}
	lost := value("null", "project", "")
	lost.Kept = false
	long := `{"a":"` + strings.Repeat("x", 300) + `"}`
	return []*craton.Event{
		{
			Revision: 12, Time: at, User: "ann\x1b[31m", Message: "ticket\r 4711\u202e", Action: "update", Kind: "region", ID: 7.0, Path: "east/d\x1b]0;fw",
			Fields: map[string]craton.FieldChange{"note": {Before: json.RawMessage("null"), After: json.RawMessage(`"` + "a\u009b1m" + `"`)}},
			Labels: &craton.LabelChange{Before: []string{"web", "old\x07"}, After: []string{"web"}},
			Keys: []craton.KeyChange{
				{Key: "n\x1btp", Before: value(`"a`+"\u202e"+`"`, "region", "dfw\x1b[2J"), After: value(long, "host", "web-01")},
				{Key: "gone", Before: value("1", "cloud", "east")},
			},
		},
		{
			Revision: 11, Time: at, Action: "update", Kind: "project", ID: "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c",
			Keys: []craton.KeyChange{{Key: "password", Before: lost, After: lost}},
		},
	}
}

func (p *printer) all(events []*craton.Event) string {
	for _, e := range events {
		p.event(e)
	}
	p.ending(&document{shown: 1, begins: time.Now(), Begins: new(string)})
	return p.b.String()
}

// TestHostile: nothing that a fleet says is obeyed by a terminal, lines fit it, and colours change no text.
func TestHostile(t *testing.T) {
	t.Parallel()
	plain := (&printer{}).all(hostile())
	for _, want := range []string{
		`update region east/d\u001b]0;fw  by ann\u001b[31m  "ticket\u000d 4711\u202e"  revision 12`, `+ "a\u009b1m"`, `  label   - old\u0007`,
		`  n\u001btp  - region dfw\u001b[2J  "a\u202e"`, "  gone    - cloud east", "see who did it", "  password  - project  (not kept)",
		"update project 5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c", "The change log is complete from ",
	} {
		if !strings.Contains(strings.Join(strings.Fields(plain), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("%q is not in\n%s", want, plain)
		}
	}
	if strings.ContainsAny(plain, "\x1b\r\a\u202e\u009b") {
		t.Errorf("%q", plain)
	}
	for _, width := range []int{60, 90, 200} {
		text := (&printer{look: show.Appearance{Width: width}}).all(hostile())
		for line := range strings.SplitSeq(text, "\n") {
			if strings.HasPrefix(line, "  ") && table.Width(line) > width {
				t.Errorf("width %d: %s", width, line)
			}
		}
		if !strings.Contains(text, "…") || !strings.Contains(text, "are shortened") {
			t.Errorf("width %d: is it said that values are shortened?\n%s", width, text)
		}
		colored := (&printer{look: show.Appearance{Width: width, Color: true}}).all(hostile())
		if got := escapes.ReplaceAllString(colored, ""); got != text || colored == text {
			t.Errorf("colours change the text: %s", cmp.Diff(text, got))
		}
	}
	if text := (&printer{whole: true}).all(hostile()); !strings.Contains(text, strings.Repeat("x", 300)) || strings.Contains(text, "label") {
		t.Errorf("of one variable:\n%s", text)
	}
}

// TestNoLog: a server that keeps no log is one clear error, of each of the commands.
func TestNoLog(t *testing.T) {
	t.Parallel()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"message": "The requested URL was not found on the server.", "status": 404}`)
	}))
	defer h.Close()
	config := filepath.Join(t.TempDir(), "config.yml")
	if err := os.WriteFile(config, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"history web-01", "history", "diff --from 2h", "diff --from 12 web-01"} {
		words := strings.Fields(line)
		var s output.Streams
		var out, errs strings.Builder
		s.In, s.Out, s.Err = strings.NewReader(""), &out, &errs
		cmd := map[string]func(output.Streams) *cobra.Command{"history": New, "diff": NewDiff}[words[0]](s)
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(append(words[1:], "--config", config, "--craton-url", h.URL, "--os-username", "u", "--os-password", "p", "--os-project-id", "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"))
		err := cmd.ExecuteContext(t.Context())
		if err == nil || !wording.Has(err.Error(), "no change log ... original Craton") || out.String() != "" {
			t.Errorf("%s: %v %s%s", line, err, out.String(), errs.String())
		}
	}
}

// TestDocuments: ids are numbers however large, and null is told from what is not there.
func TestDocuments(t *testing.T) {
	t.Parallel()
	e := hostile()[0]
	e.ID = 12345678.0
	d := document{Object: (&target{Found: object.Found{Kind: "host", ID: "12345678", Name: "web-01"}}).document()}
	d.add(&craton.HistoryPage{Events: []*craton.Event{e}, Complete: true}, true)
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"object":{"type":"host","id":12345678,"name":"web-01","deleted":false}`, `"begins":null,"whole":true,"more":false`, `"time":"2026-11-29T09:30:00Z"`,
		`"type":"region","id":12345678`, `"note":{"before":null,"after":"a`, `{"key":"gone","before":{"value":1,"kept":true,"from":{"type":"cloud","id":7,"name":"east"}},"after":null}`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	if n := len(d.rows()); n != 5 || d.rows()[4][13] != "" {
		t.Errorf("%d rows: %q", n, d.rows())
	}
}

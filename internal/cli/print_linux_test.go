package cli

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
)

// TestTablesOnATerminal are as wide as it is, painted, and free of control characters; elsewhere nothing is changed.
func TestTablesOnATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	objects := gjson.Parse(`[{"id": 1, "name": "web-01", "note": "a note that is much longer than the terminal is wide"},
		{"id": 2, "name": "\u001b[31mred", "note": null}]`).Array()
	fields := []string{"id", "name", "note"}

	tty, other := clitest.Terminal(t, 50)
	s := &object.Session{Session: run.Session{Printer: show.Printer{Streams: output.Streams{Out: tty}, Format: show.FormatTable}}}
	if err := s.PrintList(objects, fields); err != nil {
		t.Fatal(err)
	}
	if err := s.PrintObject(objects[1]); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(clitest.Shown(t, tty, other), "\r\n", "\n")
	escape := regexp.MustCompile(`\x1b\[[0-9;]*m`)
	for line := range strings.Lines(text) {
		if plain := escape.ReplaceAllString(strings.TrimSuffix(line, "\n"), ""); len(plain) > 50 {
			t.Errorf("%d columns: %s", len(plain), plain)
		}
	}
	if !strings.Contains(text, "\x1b[1mName") || !strings.Contains(text, "\x1b[2mNone") || strings.Contains(text, "\x1b[31m") || !strings.Contains(text, `\u001b[31mred`) {
		t.Errorf("%q", text)
	}

	// In no form does a terminal obey what an object says, or hide a part of it.
	hostile := gjson.Parse(`{"id": 3, "name": "a\u001b[31m\u200b\u202eb\u009bc", "note": "one\u001b[2J"}`)
	for _, format := range []string{show.FormatTable, show.FormatJSON, show.FormatYAML, show.FormatCSV} {
		s.Format = format
		if err := s.PrintObject(hostile); err != nil {
			t.Fatal(err)
		}
		if err := s.PrintList([]gjson.Result{hostile}, fields); err != nil {
			t.Fatal(err)
		}
		if err := s.PrintLabels([]string{"l\x1b[31m\u200b\u202e"}); err != nil {
			t.Fatal(err)
		}
		text := escape.ReplaceAllString(clitest.Shown(t, tty, other), "")
		if strings.ContainsAny(text, "\x1b\u200b\u202e\u009b") || !strings.Contains(strings.ToLower(text), `\u200b`) {
			t.Errorf("%s: %q", format, text)
		}
	}
	s.Format = show.FormatTable

	// What people copy stays whole, however narrow the terminal is.
	long := gjson.Parse(`[{"id": 1, "name": "a-name-with-a-dash-in-it.example.net", "ip_address": "2001:db8:1:2:3:4:5:6", "note": "words that may well be broken"}]`).Array()
	if err := s.PrintList(long, []string{"id", "name", "ip_address", "note"}); err != nil {
		t.Fatal(err)
	}
	if text := clitest.Shown(t, tty, other); !strings.Contains(text, "a-name-with-a-dash-in-it.example.net") || !strings.Contains(text, "2001:db8:1:2:3:4:5:6") || strings.Contains(text, "words that may well be broken") {
		t.Errorf("%s", text)
	}

	if code := run.Report(tty, errors.New("host \x1b[31mred\nis gone")); code != 1 {
		t.Errorf("exit %d", code)
	}
	if text := clitest.Shown(t, tty, other); !strings.Contains(text, `ERROR: host \u001b[31mred`+"\r\nis gone") {
		t.Errorf("%q", text)
	}

	var plain strings.Builder
	s.Out = &plain
	if err := s.PrintList(objects, fields); err != nil {
		t.Fatal(err)
	}
	if text := plain.String(); !strings.Contains(text, "a note that is much longer than the terminal is wide |\n") || !strings.Contains(text, "| \x1b[31mred |") || strings.Contains(text, "\x1b[1m") {
		t.Errorf("%s", text)
	}
}

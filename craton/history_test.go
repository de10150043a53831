package craton_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
)

func TestHistory(t *testing.T) {
	t.Parallel()
	mux, c, rec := remembering(t, `"changes", "diff", "history"`)
	mux.HandleFunc("/v1/history", rec.wrap(always(200, `{"begins": "2026-11-01T00:00:03.123456", "events": [{
		"action": "update", "change": "5e0b", "fields": {"note": {"before": null, "after": "x"}}, "id": 7, "kind": "region", "labels": {"before": [], "after": ["web"]},
		"keys": [{"key": "ntp", "before": null, "after": {"value": 12345678901234567890123, "kept": true, "from": {"kind": "region", "id": 7, "name": "dfw"}}}],
		"message": null, "path": null, "request_id": null, "revision": 12, "time": "2026-11-29T09:30:00.000001", "user": null}], "next": "12-5e0b", "whole": false}`)))
	page, err := c.History(t.Context(), craton.HistoryOptions{
		Kind: "host", ID: "17", Key: "ntp", User: "ann", RequestID: "req-1", Since: time.Date(2026, 11, 20, 0, 0, 0, 0, time.FixedZone("", 3600)), Before: "40-aa", Limit: 5000,
	})
	if err != nil {
		t.Fatal(err)
	}
	e := page.Events[0]
	if page.Next != "12-5e0b" || page.Complete || page.Begins.Year() != 2026 || e.Revision != 12 || e.User != "" || string(e.Fields["note"].Before) != "null" || e.Labels.After[0] != "web" ||
		e.Keys[0].Before != nil || string(e.Keys[0].After.Value) != "12345678901234567890123" || e.Keys[0].After.From.Name != "dfw" {
		t.Errorf("%+v %+v", page, e)
	}
	requests := rec.all()
	want := "before=40-aa&id=17&key=ntp&kind=host&limit=1000&request_id=req-1&since=2026-11-19T23:00:00Z&user=ann"
	if got := requests[len(requests)-1].Query; got != want {
		t.Errorf("query %s, want %s", got, want)
	}
}

// TestDiff: a difference comes whole, or it is an error.
func TestDiff(t *testing.T) {
	t.Parallel()
	const first, change, end = `{"diff": {"format": 1, "from": "9-aa", "to": "12-bb"}}` + "\n", `{"change": {"action": "delete", "kind": "host", "id": 3, "path": "east/dfw/db-01"}}` + "\n", `{"end": {"count": 2}}` + "\n"
	for body, bad := range map[string]string{
		first + change + `{"new": {}}` + "\n" + change + end: "",
		first + change + end:              "it has 1 changes, but announces 2",
		first + change + change:           "ends before its last line",
		first + change + change + "{\n":   "unexpected end",
		change + change + end:             "does not begin with",
		first + strings.TrimSpace(change): "ends before its last line",
		"":                                "ends before its last line",
	} {
		mux, c, rec := remembering(t, `"changes", "diff", "history"`)
		mux.HandleFunc("/v1/diff", rec.wrap(always(200, body)))
		var paths []string
		d, err := c.Diff(t.Context(), craton.DiffOptions{From: "9", To: "12", Kind: "host"})
		if err == nil {
			for e, broken := range d.All() {
				if err = broken; err == nil {
					paths = append(paths, e.Path)
				}
			}
		}
		switch {
		case bad == "" && (err != nil || cmp.Diff([]string{"east/dfw/db-01", "east/dfw/db-01"}, paths) != "" || d.From != "9-aa" || d.To != "12-bb"):
			t.Errorf("%v %q %+v", err, paths, d)
		case bad != "" && (err == nil || !strings.Contains(err.Error(), bad)):
			t.Errorf("%s: %v, want %s", body, err, bad)
		}
	}
}

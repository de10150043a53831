package history

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/provenance"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
)

// The documents for --format json and yaml.
type (
	document struct {
		Object *objectDocument `json:"object"` // null: the change log
		Begins *string         `json:"begins"` // when the change log begins
		Whole  bool            `json:"whole"`  // false: the log does not go back to the beginning of the history
		More   bool            `json:"more"`   // than the limit
		Events []eventDocument `json:"events"`
		begins time.Time
		shown  int
	}
	diffDocument struct {
		Object  *objectDocument  `json:"object"` // null: all objects
		From    string           `json:"from"`   // cursors
		To      string           `json:"to"`
		Changes []changeDocument `json:"changes"`
	}
	objectDocument struct {
		Type    string `json:"type"`
		ID      any    `json:"id"`
		Name    string `json:"name"`
		Deleted bool   `json:"deleted"`
	}
	eventDocument struct {
		Revision  int64   `json:"revision"`
		Time      string  `json:"time"`
		User      *string `json:"user"` // null, as the two below, if the caller may not read what was changed
		Message   *string `json:"message"`
		RequestID *string `json:"request_id"`
		changeDocument
	}
	changeDocument struct {
		Action string                        `json:"action"`
		Type   string                        `json:"type"`
		ID     any                           `json:"id"`
		Path   *string                       `json:"path"`
		Fields map[string]craton.FieldChange `json:"fields"`
		Labels *craton.LabelChange           `json:"labels"`
		Keys   []keyDocument                 `json:"keys"`
	}
	keyDocument struct {
		Key    string         `json:"key"`
		Before *valueDocument `json:"before"`
		After  *valueDocument `json:"after"`
	}
	valueDocument  provenance.SideDocument
	sourceDocument = provenance.LevelDocument
)

func (t *target) document() *objectDocument {
	if t == nil {
		return nil
	}
	d := &objectDocument{Type: t.Kind, ID: t.ID, Name: t.Name, Deleted: t.gone != nil}
	if n, err := strconv.Atoi(t.ID); err == nil {
		d.ID = n
	}
	return d
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// timeText returns a time for programs.
func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// add adds a page; its events are kept if they are needed later.
func (d *document) add(page *craton.HistoryPage, keep bool) {
	if d.Whole, d.More = page.Complete, page.Next != ""; !page.Begins.IsZero() {
		d.begins = page.Begins.Time
		begins := timeText(d.begins)
		d.Begins = &begins
	}
	if d.shown += len(page.Events); !keep {
		return
	}
	for _, e := range page.Events {
		d.Events = append(d.Events, eventDocument{e.Revision, timeText(e.Time.Time), orNull(e.User), orNull(e.Message), orNull(e.RequestID), changeOf(e)})
	}
}

func changeOf(e *craton.Event) changeDocument {
	c := changeDocument{e.Action, e.Kind, value.ID(e.ID), orNull(e.Path), e.Fields, e.Labels, []keyDocument{}}
	for _, k := range e.Keys {
		c.Keys = append(c.Keys, keyDocument{k.Key, valueOf(k.Before), valueOf(k.After)})
	}
	return c
}

func valueOf(v *craton.FromValue) *valueDocument {
	if v == nil {
		return nil
	}
	return &valueDocument{v.Value, v.Kept, sourceDocument{Type: v.From.Kind, ID: value.ID(v.From.ID), Name: orNull(v.From.Name)}}
}

// rows returns the events as CSV: a row for each difference.
func (d *document) rows() [][]string {
	rows := [][]string{append([]string{"time", "revision", "user", "message", "request_id"}, changeHeader...)}
	for _, e := range d.Events {
		deref := func(text *string) string {
			if text == nil {
				return ""
			}
			return *text
		}
		for _, row := range e.changeDocument.rows() {
			rows = append(rows, append([]string{e.Time, strconv.FormatInt(e.Revision, 10), deref(e.User), deref(e.Message), deref(e.RequestID)}, row...))
		}
	}
	return rows
}

var changeHeader = []string{"action", "type", "id", "path", "what", "name", "before", "before_from", "after", "after_from"}

func (c *changeDocument) rows() (rows [][]string) {
	path := ""
	if c.Path != nil {
		path = *c.Path
	}
	add := func(cells ...string) {
		rows = append(rows, append([]string{c.Action, c.Type, fmt.Sprint(c.ID), path}, cells...))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Fields)) {
		f := c.Fields[name]
		add("field", name, string(f.Before), "", string(f.After), "")
	}
	if c.Labels != nil {
		add("labels", "", strings.Join(c.Labels.Before, " "), "", strings.Join(c.Labels.After, " "), "")
	}
	for _, k := range c.Keys {
		before, beforeFrom := k.Before.cells()
		after, afterFrom := k.After.cells()
		add("variable", k.Key, before, beforeFrom, after, afterFrom)
	}
	return rows
}

func (v *valueDocument) cells() (value, from string) {
	switch {
	case v == nil:
		return "", ""
	case v.From.Name != nil:
		from = schema.Noun(v.From.Type) + " " + *v.From.Name
	default:
		from = schema.Noun(v.From.Type)
	}
	if !v.Kept {
		return show.NotKept, from
	}
	return oneLine(v.Value), from
}

// oneLine returns a value without the whitespace that the server has added.
func oneLine(value json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, value); err != nil {
		return string(value)
	}
	return b.String()
}

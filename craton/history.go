package craton

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/craton-fleet/craton/internal/rest"
)

// Event describes what a write did to an object: to its fields and labels, and to the resolved values of its variables.
// A difference between two states is an event without a write.
type Event struct {
	Revision  int64     `json:"revision"`
	Change    string    `json:"change"` // a random id of the write
	Time      Timestamp `json:"time"`
	User      string    `json:"user"`       // the user who wrote; "" if the caller may not know, as for Path, Message and RequestID
	RequestID string    `json:"request_id"` //
	Message   string    `json:"message"`    // why: see [WithMessage]
	Action    string    `json:"action"`     // create, update, delete or move
	Kind      string    `json:"kind"`       // of the changed object: the object itself, or the nearest one from which it inherits
	ID        any       `json:"id"`         // a number; a UUID for a project
	Path      string    `json:"path"`       // CLOUD/REGION/CELL/NAME, after the change

	Fields map[string]FieldChange `json:"fields"` // of the object itself
	Labels *LabelChange           `json:"labels"` // nil: they did not change
	Keys   []KeyChange            `json:"keys"`   // variables whose values changed, sorted
}

// FieldChange is the old and the new value of a field: JSON.
type FieldChange struct {
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// LabelChange is all labels before and after.
type LabelChange struct {
	Before []string `json:"before"`
	After  []string `json:"after"`
}

// KeyChange is the old and the new value of a variable; nil if it was not set.
type KeyChange struct {
	Key    string     `json:"key"`
	Before *FromValue `json:"before"`
	After  *FromValue `json:"after"`
}

// FromValue is the value of a variable, and its source.
type FromValue struct {
	Value json.RawMessage `json:"value"`
	Kept  bool            `json:"kept"` // false: the change log has only a hash of the value
	From  Source          `json:"from"`
}

// Source is an object from which a value comes, with its name at that time.
type Source struct {
	Kind string `json:"kind"`
	ID   any    `json:"id"`
	Name string `json:"name"` // "" for a project that the caller may not read
}

// HistoryOptions select the events to read.
type HistoryOptions struct {
	Kind, ID  string // of one object, existing or deleted; without an ID, of the change log itself
	Key       string // that changed this variable: only its changes are included
	User      string // by this user
	RequestID string // in this request
	Name      string // without an ID: of objects with this name, or with a path that ends with it
	Action    string // without an ID: only these
	Since     time.Time
	Until     time.Time // before it
	Before    string    // to continue: the Next of the previous page
	Limit     int       // per page; 0: as many as the server returns
}

// HistoryPage is a part of a history, newest first.
type HistoryPage struct {
	Events   []*Event  `json:"events"`
	Next     string    `json:"next"`   // the Before of the next page; "" if this is the last
	Complete bool      `json:"whole"`  // false: the change log does not go back to the beginning of the history
	Begins   Timestamp `json:"begins"` // when it does
}

// History reads a page of the changes that affected an object: including those of inherited values, but not of values
// that it overrides. There may be fewer events than the limit, even none, with more after Next.
//
// It needs a server whose [Capabilities] have "history": see [Client.RequireFeature].
func (c *Client) History(ctx context.Context, o HistoryOptions) (*HistoryPage, error) {
	q := url.Values{}
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(min(o.Limit, maxChanges)))
	}
	for name, value := range map[string]string{
		"kind": o.Kind, "id": o.ID, "key": o.Key, "user": o.User, "request_id": o.RequestID, "name": o.Name, "action": o.Action, "before": o.Before,
		"since": timeText(o.Since), "until": timeText(o.Until),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	page := new(HistoryPage)
	if err := c.call(ctx, http.MethodGet, historyPath, q, nil, page, "events"); err != nil {
		return nil, err
	}
	return page, nil
}

const (
	historyPath = "/history"
	diffPath    = "/diff"
)

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// DiffOptions select the states to compare, and the objects.
type DiffOptions struct {
	From, To string // revisions, cursors or times as in RFC 3339; no To means now
	Kind, ID string // of one object with its resolved variables or, with Kind only, of one kind
}

// Difference is the difference between two states that is being received. It must be closed, or read to its end.
type Difference struct {
	From, To string // the compared states: cursors

	stream *rest.Stream
	lines  *bufio.Reader
}

// Diff compares two states of an object, or of all objects that the caller may see. Changes that were reverted in
// between are not included.
//
// It needs a server whose [Capabilities] have "diff": see [Client.RequireFeature].
func (c *Client) Diff(ctx context.Context, o DiffOptions) (*Difference, error) {
	q := url.Values{}
	for name, value := range map[string]string{"from": o.From, "to": o.To, "kind": o.Kind, "id": o.ID} {
		if value != "" {
			q.Set(name, value)
		}
	}
	r := &rest.Request{Method: http.MethodGet, Path: diffPath, Query: q}
	stream, resp, err := c.rest.Stream(ctx, r)
	switch {
	case err != nil:
		return nil, typedError(err, r.Method, diffPath)
	case resp != nil:
		return nil, newError(&Response{Status: resp.Status, Header: resp.Header, Body: resp.Body, of: resp}, r.Method, resp.Path)
	}
	d := &Difference{stream: stream, lines: bufio.NewReaderSize(stream, 64<<10)}
	first, err := d.next()
	if err == nil && first.Diff == nil {
		err = errors.New("it does not begin with the line of a difference")
	}
	if err != nil {
		d.Close()
		return nil, d.brokenError(err)
	}
	d.From, d.To = first.Diff.From, first.Diff.To
	return d, nil
}

// Close ends the stream, whether it was read or not.
func (d *Difference) Close() { d.stream.Close() }

// All yields the differences, and ends with an error if they are incomplete.
func (d *Difference) All() iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		defer d.Close()
		for n := 0; ; {
			l, err := d.next()
			switch {
			case err == nil && l.End != nil && l.End.Count != n:
				err = fmt.Errorf("it has %d changes, but announces %d", n, l.End.Count)
			case err == nil && l.End != nil:
				return
			}
			if err != nil {
				yield(nil, d.brokenError(err))
				return
			}
			if l.Change != nil { // others may be added
				if n++; !yield(l.Change, nil) {
					return
				}
			}
		}
	}
}

// diffLine is a line of a difference: one of these.
type diffLine struct {
	Diff *struct {
		From string `json:"from"`
		To   string `json:"to"`
	} `json:"diff"`
	Change *Event `json:"change"`
	End    *struct {
		Count int `json:"count"`
	} `json:"end"`
}

func (d *Difference) next() (l diffLine, err error) {
	var long []byte
	text, err := line(d.lines, &long)
	if err == nil {
		err = json.Unmarshal(text, &l)
	}
	return l, err
}

// brokenError returns the error of a difference that is not whole.
func (d *Difference) brokenError(err error) error {
	if none, ok := errors.AsType[*rest.TransportError](err); ok {
		return (*ConnectionError)(none)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("it ends before its last line")
	}
	return &ResponseError{Method: http.MethodGet, Path: diffPath, Err: err}
}

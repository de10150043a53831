package craton

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/rest"
)

// Past selects a past state.
type Past struct {
	// At is a revision of the change log ("12"), a cursor of it ("12-0b5e1f2a3c4d5e6f"), or a time as in RFC 3339.
	At string
	// OmitHashed leaves out variables of whose past values the log has only a hash. Otherwise they are an error that
	// names them.
	OmitHashed bool
}

// At returns a client that reads a past state of the fleet: its places, labels, parents and variables. Everything that
// it reads is from one state, even if it was selected by a time; [Client.Revision] returns which. It cannot write.
//
// It needs "at" in [Capabilities]. A time before the beginning of the log is an error with status 410, one in the
// future 400, and variables of which only a hash is retained 409.
func (c *Client) At(ctx context.Context, p Past) (*Client, error) {
	if err := c.RequireFeature(ctx, "at"); err != nil {
		return nil, err
	}
	q := url.Values{}
	p.addTo(q)
	q.Set("at", p.At)
	past := &Client{rest: c.rest, past: q}
	past.initServices()
	const path = "/capabilities" // for which no state must be read
	resp, err := c.do(ctx, http.MethodGet, path, q, nil, nil)
	if err != nil {
		return nil, err
	}
	revision := resp.Header.Get(revisionHeader)
	if revision == "" {
		return nil, &ResponseError{Method: http.MethodGet, Path: path, Err: advice.With(fmt.Errorf("it lacks the header %s", revisionHeader), "check the proxies between here and the API: one of them loses or changes parts of responses")}
	}
	past.past = maps.Clone(q)
	past.past.Set("at", revision)
	return past, nil
}

// addTo adds the state to a query; nothing for the zero Past.
func (p Past) addTo(q url.Values) {
	if p.At == "" {
		return
	}
	q.Set("at", p.At)
	if p.OmitHashed {
		q.Set("concealed", "omit")
	}
}

// revisionHeader is the header of responses with their state.
const revisionHeader = "X-Craton-Revision"

// Revision returns the state that a client of the past reads, as a cursor of the change log; "" for a client of the
// present.
func (c *Client) Revision() string { return c.past.Get("at") }

// lastRevision returns the number of the last revision that a client knows of.
func (c *Client) lastRevision() int64 {
	number, _, _ := strings.Cut(c.Revision(), "-")
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return n
	}
	return math.MaxInt64
}

// RequireFeature returns an error if the server lacks a feature of [Capabilities] that needs a change log, such as
// "at".
func (c *Client) RequireFeature(ctx context.Context, feature string) error {
	have, err := c.Capabilities(ctx)
	switch {
	case err != nil || have.Has(feature):
		return err
	case !have.Has("changes"):
		return fmt.Errorf("%s has no change log: the original Craton server keeps none", c.hostName())
	}
	return advice.With(fmt.Errorf("%s is craton server %s, which cannot do this yet", c.hostName(), have.Version), "upgrade it")
}

// hostName returns the name of the server for people.
func (c *Client) hostName() string {
	if u, err := url.Parse(c.URL()); err == nil {
		return u.Host
	}
	return c.URL()
}

// addPast adds the state to a request of a client of the past.
func (c *Client) addPast(r *rest.Request) error {
	switch {
	case c.past == nil || timeless[r.Path]:
		return nil
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		return &rest.CallError{Library: "craton", Err: errors.New("the past can only be read")}
	}
	q := maps.Clone(r.Query)
	if q == nil {
		q = url.Values{}
	}
	maps.Copy(q, c.past)
	r.Query = q
	return nil
}

// timeless are the paths that do not support past states.
var timeless = map[string]bool{"/capabilities": true, "/changes": true, historyPath: true, diffPath: true}

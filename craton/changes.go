package craton

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Change is an entry of a server's change log: what one write did to one object.
type Change struct {
	Revision  int64     `json:"revision"` // the number of the write
	Change    string    `json:"change"`   // a random id of the write
	Time      Timestamp `json:"time"`
	User      string    `json:"user"`       // the user who wrote
	Address   string    `json:"address"`    // from which address; shown to admins and root
	RequestID string    `json:"request_id"` //
	Message   string    `json:"message"`    // why, from the client: see [WithMessage]
	Action    string    `json:"action"`     // create, update, delete or move
	Kind      string    `json:"kind"`       // project, user, cloud, region, cell, host, network-device, network or network-interface
	ID        any       `json:"id"`         // a number; a UUID for a project
	Path      string    `json:"path"`       // CLOUD/REGION/CELL/NAME, after the change
	Before    Side      `json:"before"`     // what changed, before the write; nothing for a create
	After     Side      `json:"after"`      // the same after the write; nothing for a delete
}

// Side is one side of a change: members of the object. Variables are those that changed, by key, and Hashed those of
// which only a hash is retained.
type Side struct {
	Variables map[string]json.RawMessage `json:"variables"`
	Hashed    map[string]string          `json:"hashed"`
	Labels    []string                   `json:"labels"`
	Raw       json.RawMessage            `json:"-"` // the complete side: an object, or null
}

// UnmarshalJSON reads a side.
func (s *Side) UnmarshalJSON(text []byte) error {
	type plain Side
	if err := json.Unmarshal(text, (*plain)(s)); err != nil {
		return err
	}
	s.Raw = append(json.RawMessage(nil), text...)
	return nil
}

// Has reports whether a key is among the variables of the side, whether its value is retained or not.
func (s *Side) Has(key string) bool {
	_, kept := s.Variables[key]
	_, hashed := s.Hashed[key]
	return kept || hashed
}

// ChangeOptions select the changes to read.
type ChangeOptions struct {
	After     string // a cursor: changes after it; "" begins with the oldest
	Kind, ID  string // of one object or, with Kind only, of one kind
	User      string // by this user
	RequestID string // in this request
	Limit     int    // per page; 0: as many as the server returns

	// Wait is how long, in whole seconds up to 60, the server holds back a response of [Client.ChangePage] until there
	// is a change. It must be less than the client's timeout.
	Wait time.Duration

	// Setters selects, for one object, only the last change that set each of its variables. It needs "setters" in
	// [Capabilities], and can be combined only with Kind and ID.
	Setters bool
}

// maxChanges is the largest page of the change log.
const maxChanges = 1000

// Changes yields the changes, in the order of their commits. Changes that the caller may not see now are left out. It
// needs "changes" in [Capabilities]; for other servers the error is [IsNotFound]. With a client of the past
// ([Client.At]) the changes end at its revision.
func (c *Client) Changes(ctx context.Context, o ChangeOptions) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		q := o.query(c.Revision())
		last := c.lastRevision()
		for {
			page, err := c.changePage(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, change := range page.Changes {
				if change.Revision > last || !yield(change, nil) {
					return
				}
			}
			if !page.More {
				return
			}
			q.Set("after", page.Next)
		}
	}
}

// query returns the options as parameters; at is the state of a client of the past.
func (o *ChangeOptions) query(at string) url.Values {
	q := url.Values{"limit": {strconv.Itoa(maxChanges)}}
	if o.Limit > 0 {
		q.Set("limit", strconv.Itoa(min(o.Limit, maxChanges)))
	}
	if o.Setters {
		q = url.Values{"setters": {"true"}}
		if at != "" {
			q.Set("at", at)
		}
	}
	for name, value := range map[string]string{"after": o.After, "kind": o.Kind, "id": o.ID, "user": o.User, "request_id": o.RequestID} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// ChangePage is one response of the change log.
type ChangePage struct {
	Changes []*Change `json:"changes"`
	Next    string    `json:"next"`    // the cursor to continue from
	More    bool      `json:"more"`    // there are more changes after Next already
	Newest  string    `json:"newest"`  // the cursor at the end: the state that other requests show
	Horizon int64     `json:"horizon"` // the log has every change with a higher revision
}

// Complete reports whether Next is after a complete write, so that it identifies a state of the fleet: a page may end
// within a large write.
func (p *ChangePage) Complete() bool {
	place, _, _ := strings.Cut(p.Next, "-")
	return place != "" && !strings.Contains(place, ".")
}

// ChangePage reads one page of the change log. To follow the log, continue from [ChangePage.Next] with
// [ChangeOptions.Wait]. For a cursor that the log does not have, the error is an [Error] with status 410: the database
// was replaced or restored from a copy, or the log is no longer complete from there on.
func (c *Client) ChangePage(ctx context.Context, o ChangeOptions) (*ChangePage, error) {
	q := o.query(c.Revision())
	if o.Wait > 0 {
		q.Set("wait", strconv.Itoa(int(o.Wait/time.Second)))
	}
	return c.changePage(ctx, q)
}

func (c *Client) changePage(ctx context.Context, q url.Values) (*ChangePage, error) {
	page := new(ChangePage)
	if err := c.call(ctx, http.MethodGet, "/changes", q, nil, page, "changes"); err != nil {
		return nil, err
	}
	return page, nil
}

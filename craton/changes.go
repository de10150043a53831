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
	Revision  int64     `json:"revision"` // counts the writes
	Change    string    `json:"change"`   // a random id of the write
	Time      Timestamp `json:"time"`
	User      string    `json:"user"`       // the user who wrote
	Address   string    `json:"address"`    // from where; shown to admins and root
	RequestID string    `json:"request_id"` //
	Message   string    `json:"message"`    // why, as the client said: see [WithMessage]
	Action    string    `json:"action"`     // create, update, delete or move
	Kind      string    `json:"kind"`       // project, user, cloud, region, cell, host, network-device, network or network-interface
	ID        any       `json:"id"`         // a number, a project's a UUID
	Path      string    `json:"path"`       // CLOUD/REGION/CELL/NAME, behind the change
	Before    Side      `json:"before"`     // what changed, as it was; nothing of a create
	After     Side      `json:"after"`      // and as it is; nothing of a delete
}

// Side is one side of a change: members of the object. Of these, Variables are those that changed, by key, and Hashed
// those whose values are not kept.
type Side struct {
	Variables map[string]json.RawMessage `json:"variables"`
	Hashed    map[string]string          `json:"hashed"`
	Labels    []string                   `json:"labels"`
	Raw       json.RawMessage            `json:"-"` // the whole side: an object, or null
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

// Has reports whether a key is among the variables of the side, be its value kept or not.
func (s *Side) Has(key string) bool {
	_, kept := s.Variables[key]
	_, hashed := s.Hashed[key]
	return kept || hashed
}

// ChangeOptions say which changes to read.
type ChangeOptions struct {
	After     string // a cursor: begin behind it; "" with the oldest that is kept
	Kind, ID  string // of one object, or with Kind alone of one kind
	User      string // by this user
	RequestID string // in this request
	Limit     int    // of a page; 0: as many as the server gives

	// Wait is how long a response of [Client.ChangePage] without changes is held back until there is one, in whole
	// seconds: up to 60. It must be less than the client's timeout.
	Wait time.Duration

	// Setters leaves, of the changes of one object, those that set the variables which it has, each of them the last. A
	// server can do this whose [Capabilities] have "setters"; nothing but Kind and ID goes with it.
	Setters bool
}

// maxChanges is the largest page of the change log.
const maxChanges = 1000

// Changes yields the changes, in the order of their commits. Changes that the caller may not see now are left out. It
// needs "changes" in [Capabilities]; the error of other servers is [IsNotFound]. For a client of the past ([Client.At])
// the changes end at its revision.
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
	Next    string    `json:"next"`    // the cursor to go on with
	More    bool      `json:"more"`    // there are more changes behind Next now
	Newest  string    `json:"newest"`  // the cursor behind everything: the state that other requests show
	Horizon int64     `json:"horizon"` // every change with a higher revision is in the log
}

// Complete reports whether Next is behind a whole write, so that it names a state of the fleet: a page may end within a
// large one.
func (p *ChangePage) Complete() bool {
	place, _, _ := strings.Cut(p.Next, "-")
	return place != "" && !strings.Contains(place, ".")
}

// ChangePage reads one page of the change log. To follow the log, continue from [ChangePage.Next] with
// [ChangeOptions.Wait]. A cursor that the log does not know is an [Error] of status 410: the database was replaced or
// restored from a copy, or the log is not whole any more from there on.
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

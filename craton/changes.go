package craton

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"net/url"
	"strconv"
)

// Change is what one write did to one object, as a server's change log has it.
type Change struct {
	Revision  int64     `json:"revision"` // counts the writes
	Change    string    `json:"change"`   // a random id of the write
	Time      Timestamp `json:"time"`
	User      string    `json:"user"`       // who wrote
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

// Side is one side of a change: members of the object. Of these, Variables are those that changed, by key, and Hashed those
// whose values are not kept.
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

	// Setters leaves, of the changes of one object, those that set the variables which it has, each of them the last. A server can
	// do this whose [Capabilities] have "setters"; nothing but Kind and ID goes with it.
	Setters bool
}

// mostChanges is the largest page of the change log.
const mostChanges = 1000

// Changes yields what was done, in the order of the commits. A server can tell whose [Capabilities] have "changes"; of others the
// error is one of [IsNotFound]. What the caller may not see now is left out. Of a client of the past ([Client.At]) they end where it does.
func (c *Client) Changes(ctx context.Context, o ChangeOptions) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		q := url.Values{"limit": {strconv.Itoa(mostChanges)}}
		if o.Limit > 0 {
			q.Set("limit", strconv.Itoa(min(o.Limit, mostChanges)))
		}
		if o.Setters {
			q = url.Values{"setters": {"true"}}
			if at := c.Revision(); at != "" {
				q.Set("at", at)
			}
		}
		for name, value := range map[string]string{"after": o.After, "kind": o.Kind, "id": o.ID, "user": o.User, "request_id": o.RequestID} {
			if value != "" {
				q.Set(name, value)
			}
		}
		last := c.last()
		for {
			var page struct {
				Changes []*Change `json:"changes"`
				Next    string    `json:"next"`
				More    bool      `json:"more"`
			}
			if err := c.call(ctx, http.MethodGet, "/changes", q, nil, &page, "changes"); err != nil {
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

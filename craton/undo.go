package craton

import (
	"context"
	"net/http"
)

// UndoOptions select what [Client.Undo] reverses, and how.
type UndoOptions struct {
	Revision   string // a write: its revision ("12"), or a cursor of the change log ("12-0b5e1f2a3c4d5e6f"), which no other database has
	RequestID  string // alternatively: all writes of a request
	Check      bool   // change nothing, only report
	Force      bool   // include what has changed since
	OmitHashed bool   // skip values of which the change log has only a hash
}

// UndoResult is the result of an undo, or its preview.
type UndoResult struct {
	Undone        []UndoneWrite  `json:"undone"`         // the writes that are reversed, newest first
	Revision      string         `json:"revision"`       // of the undo, as a cursor; "" if nothing was done
	Counts        map[string]int `json:"counts"`         // of objects, by action
	Steps         []UndoStep     `json:"steps"`          // the first of them
	Conflicts     []string       `json:"conflicts"`      // conflicting later changes, in sentences; the first of them
	MoreConflicts int            `json:"more_conflicts"` // the number of further ones
	Left          []string       `json:"left"`           // what stays as it is, in sentences
}

// UndoneWrite is a write that is reversed.
type UndoneWrite struct {
	Revision  string    `json:"revision"` // a cursor
	Time      Timestamp `json:"time"`
	User      string    `json:"user"`
	RequestID string    `json:"request_id"`
	Message   string    `json:"message"`
}

// UndoStep describes the change of one object.
type UndoStep struct {
	Action string   `json:"action"` // create restores it; delete, update, move
	Kind   string   `json:"kind"`
	ID     any      `json:"id"` // a number; a UUID for a project
	Path   string   `json:"path"`
	Fields []string `json:"fields"` // that change; for an update or a move
	Keys   []string `json:"keys"`   // of variables that change
	Labels bool     `json:"labels"` // they change
}

// Undo reverses a write, or all writes of a request: what it created is deleted, what it deleted is restored with its
// id, labels, variables, parents and interfaces, and what it changed is as before. It is done in one transaction, all
// or nothing. It needs "undo" in [Capabilities].
//
// Errors: [IsConflict] if something was changed since, naming it, and Force is not set; if something else has a name
// now; if a value is not kept, and OmitHashed is not set. [IsNotFound] if there is no such write that the caller may
// see, status 410 if the log no longer has it.
func (c *Client) Undo(ctx context.Context, o UndoOptions) (*UndoResult, error) {
	if err := c.RequireFeature(ctx, "undo"); err != nil {
		return nil, err
	}
	body := struct {
		Revision  string `json:"revision,omitempty"`
		RequestID string `json:"request_id,omitempty"`
		Check     bool   `json:"check"`
		Force     bool   `json:"force"`
		Concealed string `json:"concealed,omitempty"`
	}{Revision: o.Revision, RequestID: o.RequestID, Check: o.Check, Force: o.Force}
	if o.OmitHashed {
		body.Concealed = "omit"
	}
	out := new(UndoResult)
	if err := c.call(ctx, http.MethodPost, "/undo", nil, body, out, "steps"); err != nil {
		return nil, err
	}
	return out, nil
}

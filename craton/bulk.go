package craton

import (
	"context"
	"encoding/json"
	"net/http"
)

// BulkEdit describes what [Client.Bulk] does with all objects of a kind that match terms.
type BulkEdit struct {
	Kind  Kind   `json:"kind"`  // cloud, region, cell, host, network-device or network
	Where string `json:"where"` // such as "label=web name=web-*": see docs/search.md; "name=*" selects all

	Variables       Variables      `json:"variables,omitempty"`        // variables to set
	RemoveVariables []string       `json:"remove_variables,omitempty"` // keys
	Update          map[string]any `json:"update,omitempty"`           // fields, as in an update of one object, except the name
	Move            map[string]any `json:"move,omitempty"`             // a new place for hosts, network devices or cells, as in a move of one
	Protected       *bool          `json:"protected,omitempty"`        // protect or unprotect them
	AddLabels       []string       `json:"add_labels,omitempty"`       // to devices
	RemoveLabels    []string       `json:"remove_labels,omitempty"`    //
	Labels          *[]string      `json:"labels,omitempty"`           // alternatively: the complete set of labels
	Delete          bool           `json:"delete,omitempty"`           // instead of all of the above

	Check  bool   `json:"check,omitempty"`  // change nothing, only report
	Expect string `json:"expect,omitempty"` // refuse the edit if its [BulkResult.Preview] or its objects ([BulkResult.Matched]) would differ from these
}

// BulkResult describes what a bulk edit did, or would do.
type BulkResult struct {
	Count    int            `json:"count"`   // objects that match the terms
	Matched  string         `json:"matched"` // identifies this selection of objects
	Preview  string         `json:"preview"` // identifies the changes; "" from a server without previews
	Changed  int            `json:"changed"` // objects that change; the others are already as wanted
	Objects  []BulkObject   `json:"objects"` // the first of those that change
	Effects  []BulkEffect   `json:"effects"` // what changes, the most frequent first
	More     int            `json:"more_effects"`
	With     map[string]int `json:"with"`               // what a delete also removes, by kind
	Affected []Affected     `json:"affected,omitempty"` // the effects on resolved variables, of at most ten; nil without Check, and from a server that does not report it ("affected" in [Capabilities])
	Revision string         `json:"revision"`           // of the write, as a cursor; "" if nothing was done
}

// BulkObject is an object that changes.
type BulkObject struct {
	ID   int    `json:"id"`
	Path string `json:"path"`
}

// BulkEffect is a change that several objects share.
type BulkEffect struct {
	What   string          `json:"what"` // variable, field or label
	Name   string          `json:"name"`
	Before json.RawMessage `json:"before,omitempty"` // nil: there was none. For a long value its beginning, as a text
	After  json.RawMessage `json:"after,omitempty"`  // nil: there is none
	Count  int             `json:"count"`
}

// Affected counts the devices that an edit of one variable affects: the edited devices, and those that inherit from the
// edited objects.
type Affected struct {
	Name           string `json:"name"`
	Hosts          int    `json:"hosts"`           // whose value changes
	NetworkDevices int    `json:"network_devices"` //
	Shadowed       int    `json:"shadowed"`        // hosts and network devices whose nearer value overrides it
}

// Bulk edits all objects that match terms in one transaction and revision, completely or not at all, with the checks of
// single writes. It needs "bulk" in [Capabilities].
//
// It is [IsConflict] if Expect is given and no longer holds, and where a single write is.
func (c *Client) Bulk(ctx context.Context, e BulkEdit) (*BulkResult, error) {
	out := new(BulkResult)
	if err := c.call(ctx, http.MethodPost, "/bulk", nil, e, out, "matched"); err != nil {
		return nil, err
	}
	return out, nil
}

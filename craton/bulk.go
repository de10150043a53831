package craton

import (
	"context"
	"encoding/json"
	"net/http"
)

// BulkEdit describes what [Client.Bulk] does to all objects of a kind that satisfy terms.
type BulkEdit struct {
	Kind  Kind   `json:"kind"`  // cloud, region, cell, host, network-device or network
	Where string `json:"where"` // such as "label=web name=web-*": see docs/search.md; for all of them "name=*"

	Variables       Variables      `json:"variables,omitempty"`        // to set beside the others
	RemoveVariables []string       `json:"remove_variables,omitempty"` // keys
	Update          map[string]any `json:"update,omitempty"`           // fields, as an update of one takes them, but the name
	Move            map[string]any `json:"move,omitempty"`             // where to put hosts, network devices or cells, as a move of one takes it
	Protected       *bool          `json:"protected,omitempty"`        // protect them, or take that off
	AddLabels       []string       `json:"add_labels,omitempty"`       // to devices
	RemoveLabels    []string       `json:"remove_labels,omitempty"`    //
	Labels          *[]string      `json:"labels,omitempty"`           // instead: the complete set of labels
	Delete          bool           `json:"delete,omitempty"`           // instead of all of the above

	Check  bool   `json:"check,omitempty"`  // change nothing, only report
	Expect string `json:"expect,omitempty"` // refuse if something else would be done than what has this [BulkResult.Preview], or to other objects than those with this [BulkResult.Matched]
}

// BulkResult describes what a bulk edit did, or would do.
type BulkResult struct {
	Count    int            `json:"count"`   // of the objects that satisfy the terms
	Matched  string         `json:"matched"` // identifies this selection of objects
	Preview  string         `json:"preview"` // identifies what is done to them; "" from a server without previews
	Changed  int            `json:"changed"` // of them; the others are so already
	Objects  []BulkObject   `json:"objects"` // the first of those that change
	Effects  []BulkEffect   `json:"effects"` // what changes, the most frequent first
	More     int            `json:"more_effects"`
	With     map[string]int `json:"with"`               // what a delete takes along, by kind
	Affected []Affected     `json:"affected,omitempty"` // what becomes of resolved variables, of ten at most; nil without Check, and from a server that does not report it ("affected" in [Capabilities])
	Revision string         `json:"revision"`           // of the write that did it, as a cursor; "" if nothing was done
}

// BulkObject is an object that changes.
type BulkObject struct {
	ID   int    `json:"id"`
	Path string `json:"path"`
}

// BulkEffect is a change that several objects have in common.
type BulkEffect struct {
	What   string          `json:"what"` // variable, field or label
	Name   string          `json:"name"`
	Before json.RawMessage `json:"before,omitempty"` // nil: there was none. Of a long value the beginning, as a text
	After  json.RawMessage `json:"after,omitempty"`  // nil: there is none
	Count  int             `json:"count"`
}

// Affected counts the devices that an edit of one variable affects: the edited devices, and those that inherit from the
// edited objects.
type Affected struct {
	Name           string `json:"name"`
	Hosts          int    `json:"hosts"`           // that get another value
	NetworkDevices int    `json:"network_devices"` //
	Shadowed       int    `json:"shadowed"`        // hosts and network devices that keep theirs: one nearer by counts
}

// Bulk edits all objects that satisfy terms in one transaction, with one revision: all or nothing, with the checks of
// single writes. It needs "bulk" in [Capabilities].
//
// [IsConflict] if Expect is given and does not hold by now, and where a single write is one.
func (c *Client) Bulk(ctx context.Context, e BulkEdit) (*BulkResult, error) {
	out := new(BulkResult)
	if err := c.call(ctx, http.MethodPost, "/bulk", nil, e, out, "matched"); err != nil {
		return nil, err
	}
	return out, nil
}

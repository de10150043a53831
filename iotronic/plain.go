package iotronic

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/internal/rest"
)

// PlainObject is an object of Ironic without a type of its own: a chassis, a port group, a volume connector or target,
// a deploy template, a runbook. One type for all of them keeps programs small; their other members are in Fields.
type PlainObject struct {
	Record
	Description string `json:"description"` // of chassis and runbooks
}

// PlainCreate is the attributes of such an object.
type PlainCreate struct {
	UUID        string `json:"uuid,omitzero" dialect:"ironic"`
	Name        string `json:"name,omitzero" dialect:"ironic"`
	Description string `json:"description,omitzero" dialect:"ironic"`
	Extra       Object `json:"extra,omitempty" dialect:"ironic"`

	More Object `json:"-"` // other attributes, by their names in the API
}

// PlainListOptions filter such objects.
type PlainListOptions struct {
	Paging
	Detail  bool     `query:"detail"`  // all fields
	Fields  []string `query:"fields"`  // only these and the uuid; not with Detail
	Node    string   `query:"node"`    // of port groups, connectors and targets: those of this node, by UUID or name
	Address string   `query:"address"` // of port groups: the one with this MAC address
}

// PlainService is a collection of such objects.
type PlainService struct {
	Lister[PlainObject, PlainListOptions]
	Reader[PlainObject]
	Writer[PlainObject, PlainCreate]
}

func newPlainService(c *Client, resource, one string) *PlainService {
	s := &PlainService{Lister: Lister[PlainObject, PlainListOptions]{client: c, resource: resource}}
	s.Reader = Reader[PlainObject]{reading{client: c, resource: resource, one: one}}
	s.Writer = Writer[PlainObject, PlainCreate]{writing: writing{reader: &s.Reader.reading, metal: true}, more: func(o *PlainCreate) Object { return o.More }}
	return s
}

// RunbookService is /v1/runbooks of Ironic, from API version 1.92 on.
//
// A runbook applies to the nodes that have one of its traits. Before 1.112 it has no traits: its name is the trait.
type RunbookService struct{ *PlainService }

var runbookTraits = map[string]Version{"traits of runbooks": Since("runbooks", "traits")}

// traits sends a request about the traits of a runbook; below is the path below them.
func (s *RunbookService) traits(ctx context.Context, operation, id, method, below string, body, out any) error {
	return s.Reader.call(ctx, operation, id, &call{Request: rest.Request{Method: method, Body: body}, needs: runbookTraits}, "/traits"+below, out, "")
}

// GetTraits returns the traits of a runbook (1.112).
func (s *RunbookService) GetTraits(ctx context.Context, id string) ([]string, error) {
	out := new(struct {
		Traits []string `json:"traits"`
	})
	err := s.traits(ctx, "read the traits of a runbook", id, http.MethodGet, "", nil, out)
	return out.Traits, err
}

// SetTraits replaces the traits of a runbook (1.112).
func (s *RunbookService) SetTraits(ctx context.Context, id string, traits []string) error {
	if traits == nil {
		traits = []string{}
	}
	return s.traits(ctx, "set the traits of a runbook", id, http.MethodPut, "", map[string][]string{"traits": traits}, nil)
}

// AddTrait adds a trait to a runbook (1.112).
func (s *RunbookService) AddTrait(ctx context.Context, id, trait string) error {
	return s.trait(ctx, "add a trait to a runbook", id, http.MethodPut, trait)
}

// RemoveTrait removes a trait from a runbook (1.112). A trait that it does not have is not an error.
func (s *RunbookService) RemoveTrait(ctx context.Context, id, trait string) error {
	return s.trait(ctx, "remove a trait from a runbook", id, http.MethodDelete, trait)
}

func (s *RunbookService) trait(ctx context.Context, operation, id, method, trait string) error {
	el, err := element(operation, "trait", trait)
	if err != nil {
		return err
	}
	return s.traits(ctx, operation, id, method, "/"+el, nil, nil)
}

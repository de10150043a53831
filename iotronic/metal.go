package iotronic

import "context"

// Chassis is a group of nodes of Ironic in one place.
type Chassis = PlainObject

// ChassisCreate is the attributes of a new chassis, which has no name.
type ChassisCreate = PlainCreate

// ChassisListOptions select fields of chassis.
type ChassisListOptions = PlainListOptions

// ChassisService is /v1/chassis of Ironic.
type ChassisService = PlainService

// Allocation is a request for a node of Ironic with certain properties, since API version 1.52.
type Allocation struct {
	Record
	Owner          string   `json:"owner"`     // 1.60
	Node           string   `json:"node_uuid"` // "" until one is found
	State          string   `json:"state"`     // allocating, active or error
	LastError      string   `json:"last_error"`
	ResourceClass  string   `json:"resource_class"`
	Traits         []string `json:"traits"`
	CandidateNodes []string `json:"candidate_nodes"`
}

// AllocationCreate is the attributes of a new allocation. ResourceClass is required, unless Node is given.
type AllocationCreate struct {
	UUID           string   `json:"uuid,omitzero" dialect:"ironic"`
	Name           string   `json:"name,omitzero" dialect:"ironic"`
	ResourceClass  string   `json:"resource_class,omitzero" dialect:"ironic"`
	Traits         []string `json:"traits,omitempty" dialect:"ironic"`
	CandidateNodes []string `json:"candidate_nodes,omitempty" dialect:"ironic"` // by UUID or name
	Node           string   `json:"node,omitzero" dialect:"ironic"`             // one that already has an instance; 1.58
	Owner          string   `json:"owner,omitzero" dialect:"ironic"`            // 1.60
	Extra          Object   `json:"extra,omitempty" dialect:"ironic"`

	More Object `json:"-"` // other attributes, by their names in the API
}

// AllocationListOptions filter allocations.
type AllocationListOptions struct {
	Paging
	Fields        []string `query:"fields"` // only these and the uuid
	Node          string   `query:"node"`   // by UUID or name
	ResourceClass string   `query:"resource_class"`
	State         string   `query:"state"`
	Owner         string   `query:"owner"` // 1.60
}

// AllocationService is /v1/allocations of Ironic. Only the name and extra of an allocation can be changed, since 1.57.
type AllocationService struct {
	Lister[Allocation, AllocationListOptions]
	Reader[Allocation]
	Writer[Allocation, AllocationCreate]
}

func newAllocationService(c *Client) *AllocationService {
	const resource = "allocations"
	s := &AllocationService{Lister: Lister[Allocation, AllocationListOptions]{client: c, resource: resource}}
	s.Reader = Reader[Allocation]{reading{client: c, resource: resource, one: "allocation"}}
	s.Writer = Writer[Allocation, AllocationCreate]{writing: writing{reader: &s.Reader.reading, metal: true}, more: func(o *AllocationCreate) Object { return o.More }}
	return s
}

// AllocationChanges is the first version of Ironic's API in which allocations can be changed.
var AllocationChanges = Version{1, 57}

// States of an allocation: the initial one, and the final ones.
const (
	AllocationAllocating = "allocating"
	AllocationActive     = "active"
	AllocationError      = "error"
)

// Wait waits until an allocation has its node, and returns it. It fails with a [*StateTransitionFailedError], which
// says why, if no node was found, and with a [*StateTransitionTimeoutError] if the context ends before.
func (s *AllocationService) Wait(ctx context.Context, id string) (a *Allocation, err error) {
	err = waitFor(ctx, "allocation", id, AllocationActive, func() (seen sight, err error) {
		if a, err = s.Get(ctx, id); err != nil {
			return seen, err
		}
		return sight{now: a.State, stays: a.State == AllocationError, reason: a.LastError}, nil
	})
	return a, err
}

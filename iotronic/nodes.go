package iotronic

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/internal/rest"
)

// Node is a machine: a bare metal server of Ironic, or a small computer of Iotronic in versions without boards. Which
// fields are set depends on the dialect, on the version, and on how the node was read.
type Node struct {
	Record
	Owner string `json:"owner"` // on Iotronic the user who created it

	BareMetal
	Thing
}

// BareMetal is the fields of Ironic's nodes only (reference §2.6).
type BareMetal struct {
	Driver               string    `json:"driver"`
	DriverInfo           Object    `json:"driver_info"` // secrets are stars
	DriverInternalInfo   Object    `json:"driver_internal_info"`
	Properties           Object    `json:"properties"`
	InstanceInfo         Object    `json:"instance_info"`
	InstanceUUID         string    `json:"instance_uuid"`
	ChassisUUID          string    `json:"chassis_uuid"`
	PowerState           string    `json:"power_state"` // [PowerOn], [PowerOff], or "" if unknown
	TargetPowerState     string    `json:"target_power_state"`
	ProvisionState       string    `json:"provision_state"` // such as "active"; "" below version 1.2 for "available"
	TargetProvisionState string    `json:"target_provision_state"`
	ProvisionUpdatedAt   Timestamp `json:"provision_updated_at"`
	Maintenance          bool      `json:"maintenance"`
	MaintenanceReason    string    `json:"maintenance_reason"`
	LastError            string    `json:"last_error"`
	Reservation          string    `json:"reservation"` // the conductor that is currently working on it
	ConsoleEnabled       bool      `json:"console_enabled"`
	ResourceClass        string    `json:"resource_class"`
	ConductorGroup       string    `json:"conductor_group"`
	Conductor            string    `json:"conductor"`
	Fault                string    `json:"fault"`
	Protected            bool      `json:"protected"`
	Retired              bool      `json:"retired"`
	Description          string    `json:"description"`
	Lessee               string    `json:"lessee"`
	Traits               []string  `json:"traits"`
}

// Thing is the fields of Iotronic's nodes and boards (reference §2.3 to 2.5).
type Thing struct {
	Code     string     `json:"code"`    // unique
	Status   string     `json:"status"`  // registered (never connected; operative in 2016), offline, online
	Type     string     `json:"type"`    // of hardware; called device in 2016
	Session  string     `json:"session"` // of its connection, which may be offline
	Project  string     `json:"project"`
	Mobile   bool       `json:"mobile"`
	Location []Location `json:"location"`
}

// settle sets the type from its name in 2016.
func (n *Node) settle() {
	if n.Type == "" {
		n.Type = n.Fields.Text("device")
	}
}

// NodeCreate is the attributes of a new node. Ironic requires Driver; Iotronic requires Code, Name and Location.
type NodeCreate struct {
	Name  string `json:"name,omitzero"`
	Extra Object `json:"extra,omitempty"`

	UUID             string `json:"uuid,omitzero" dialect:"ironic"`
	Driver           string `json:"driver,omitzero" dialect:"ironic"`
	DriverInfo       Object `json:"driver_info,omitempty" dialect:"ironic"`
	Properties       Object `json:"properties,omitempty" dialect:"ironic"`
	ChassisUUID      string `json:"chassis_uuid,omitzero" dialect:"ironic"`
	ResourceClass    string `json:"resource_class,omitzero" dialect:"ironic"`
	ConductorGroup   string `json:"conductor_group,omitzero" dialect:"ironic"`
	NetworkInterface string `json:"network_interface,omitzero" dialect:"ironic"`
	Owner            string `json:"owner,omitzero" dialect:"ironic"`
	Lessee           string `json:"lessee,omitzero" dialect:"ironic"`
	Description      string `json:"description,omitzero" dialect:"ironic"`

	Code     string     `json:"code,omitzero" dialect:"iotronic-nodes-2016,iotronic-nodes"`
	Type     string     `json:"type,omitzero" dialect:"iotronic-nodes-2016,iotronic-nodes"` // sent as device to Iotronic of 2016
	Location []Location `json:"location,omitempty" dialect:"iotronic-nodes-2016,iotronic-nodes"`
	Mobile   bool       `json:"mobile,omitzero" dialect:"iotronic-nodes-2016,iotronic-nodes"`

	More Object `json:"-"` // other attributes, by their names in the API
}

// NodeListOptions filter nodes; all that are set must match. A filter that Ironic has only in later versions than the
// negotiated one is an [*UnsupportedVersionError]; one that is unknown to the server a [*BadRequestError].
type NodeListOptions struct {
	Paging
	Detail bool     `query:"detail"` // all fields; on Iotronic of 2016 one more request per node
	Fields []string `query:"fields"` // only these, and the uuid; not with Detail

	InstanceUUID    string `query:"instance_uuid" dialect:"ironic"`
	Associated      *bool  `query:"associated" dialect:"ironic"` // with an instance
	Maintenance     *bool  `query:"maintenance" dialect:"ironic"`
	ProvisionState  string `query:"provision_state" dialect:"ironic"` // 1.9
	Driver          string `query:"driver" dialect:"ironic"`          // 1.16
	ResourceClass   string `query:"resource_class" dialect:"ironic"`  // 1.21
	Fault           string `query:"fault" dialect:"ironic"`           // 1.42
	ConductorGroup  string `query:"conductor_group" dialect:"ironic"` // 1.46
	Conductor       string `query:"conductor" dialect:"ironic"`       // 1.49
	Owner           string `query:"owner" dialect:"ironic"`           // 1.50
	Lessee          string `query:"lessee" dialect:"ironic"`          // 1.65
	Chassis         string `query:"chassis_uuid" dialect:"ironic"`
	Retired         *bool  `query:"retired" dialect:"ironic"`              // 1.61
	Description     string `query:"description_contains" dialect:"ironic"` // 1.51; a part of it
	InstanceName    string `query:"instance_name" dialect:"ironic"`        // 1.104
	Shard           string `query:"shard" dialect:"ironic"`                // 1.82
	Sharded         *bool  `query:"sharded" dialect:"ironic"`              // 1.82
	ParentNode      string `query:"parent_node" dialect:"ironic"`          // 1.83
	IncludeChildren bool   `query:"include_children" dialect:"ironic"`     // 1.83; without it children of other nodes are left out

	// Project is for admins; without it, the list has the nodes of the caller's own. The one list that supports it has
	// all fields, whatever Fields is.
	Project string `query:"project" dialect:"iotronic-nodes"`
}

// NodeService is /v1/nodes of Ironic and of Iotronic until March 2017.
type NodeService struct {
	Lister[Node, NodeListOptions]
	Reader[Node]
	Writer[Node, NodeCreate]
	client *Client
}

func newNodeService(c *Client) *NodeService {
	const resource = "nodes"
	s := &NodeService{client: c}
	s.Lister = Lister[Node, NodeListOptions]{
		client: c, resource: resource,
		full: func(ctx context.Context, id string) (*Node, error) { return s.Get(ctx, id) },
	}
	s.Reader = Reader[Node]{reading{client: c, resource: resource, one: "node", named: byName(&s.Lister, func(d Dialect) NodeListOptions {
		return NodeListOptions{Fields: d.only("name")}
	})}}
	s.Writer = Writer[Node, NodeCreate]{
		writing: writing{reader: &s.Reader.reading, prepare: func(d Dialect, body Object) {
			if kind, ok := body["type"]; ok && d == DialectNodes2016 {
				body["device"] = kind
				delete(body, "type")
			}
		}},
		more: func(n *NodeCreate) Object { return n.More },
	}
	return s
}

// only returns the fields to request, if the dialect supports a selection.
func (d Dialect) only(fields ...string) []string {
	if d.traits().fields {
		return fields
	}
	return nil
}

// ByInstance returns the node that an instance runs on, with all fields.
func (s *NodeService) ByInstance(ctx context.Context, instance string) (*Node, error) {
	if instance == "" {
		return nil, invalid("cannot find a node: the instance's UUID is empty")
	}
	children, err := s.client.Has(ctx, "nodes", "include_children")
	if err != nil {
		return nil, err
	}
	page, err := s.List(ctx, NodeListOptions{InstanceUUID: instance, IncludeChildren: children, Detail: true})
	if err != nil {
		return nil, err
	}
	if len(page.Items) != 1 {
		return nil, &NotFoundError{HTTPError{
			Status: http.StatusNotFound, Method: http.MethodGet, Path: "/nodes", Message: "no node has the instance " + instance,
		}}
	}
	return page.Items[0], nil
}

// Validate returns which of a node's interfaces could work with its settings: each is an object with "result" (true,
// false, or null without an implementation) and "reason".
func (s *NodeService) Validate(ctx context.Context, id string) (Object, error) {
	var out Object
	err := s.ironic(ctx, "validate a node", id, &call{Request: rest.Request{Method: http.MethodGet}}, "/validate", &out)
	return out, err
}

// Ports reads the network ports of a node of Ironic, with all fields.
func (s *NodeService) Ports(ctx context.Context, id string) ([]*Port, error) {
	if id == "" {
		return nil, invalid("cannot list the ports of a node: its UUID or name is empty")
	}
	var ports []*Port
	for port, err := range s.client.Ports.All(ctx, PortListOptions{Node: id, Detail: true}) {
		if err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	return ports, nil
}

// ironic sends a request about a node that only Ironic supports.
func (s *NodeService) ironic(ctx context.Context, operation, id string, c *call, below string, out any) error {
	d, err := s.client.Dialect(ctx)
	if err != nil {
		return err
	}
	if d != DialectIronic {
		return &DialectError{Dialect: d, Operation: operation}
	}
	return s.call(ctx, operation, id, c, below, out, "")
}

// put requests a change of state, which needs versions. Some of them must not be repeated.
func (s *NodeService) put(ctx context.Context, operation, id, below string, body any, needs map[string]Version) error {
	return s.ironic(ctx, operation, id, &call{Request: rest.Request{Method: http.MethodPut, Body: body, Once: true}, needs: needs}, below, nil)
}

// set sets a value, which needs versions. It may be repeated.
func (s *NodeService) set(ctx context.Context, operation, id, below string, body any, needs map[string]Version) error {
	return s.ironic(ctx, operation, id, &call{Request: rest.Request{Method: http.MethodPut, Body: body}, needs: needs}, below, nil)
}

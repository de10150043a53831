package iotronic

// PlainObject is an object of Ironic that needs no type of its own: a chassis, a port group, a volume connector or target, a deploy
// template, a runbook. One type for all of them keeps programs small; what they have beside these members is in Fields.
type PlainObject struct {
	Record
	Description string `json:"description"` // of chassis and runbooks
}

// PlainCreate is what such an object is made of.
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

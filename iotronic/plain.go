package iotronic

// PlainObject is an object of Ironic that needs no type of its own: a port group, a volume connector or target, a deploy template, a
// runbook. What it has beside the members of a Record is in its Fields.
type PlainObject struct{ Record }

// PlainCreate is what such an object is made of: attributes by their names in the API.
type PlainCreate struct {
	More Object `json:"-"`
}

// PlainListOptions filter such objects.
type PlainListOptions struct {
	Paging
	Detail  bool     `query:"detail"`  // all fields
	Fields  []string `query:"fields"`  // only these and the uuid; not with Detail
	Node    string   `query:"node"`    // only those of this node, by UUID or name; not of deploy templates and runbooks
	Address string   `query:"address"` // only the port group with this MAC address
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

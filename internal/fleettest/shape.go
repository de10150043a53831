package fleettest

import "pgregory.net/rapid"

// shape says what a fleet is drawn of. Each function draws again.
type shape struct {
	sparse bool // what may be absent is absent half of the time, and there are networks and interfaces

	places          func(kind string) []string // names of clouds, or of what is in one place; devices that are in a cell make one
	devices         func() []string            // names of those of a region
	inCell          func(name string) bool
	isNetworkDevice func(name string) bool // nil is none
	variables       func(label string) map[string]any
	note, line      *rapid.Generator[any] // notes, and what has no line breaks, such as the name of a model; nil is none
	address         func() string
	types           []string
	labels          func() []any
	parent          func(cloud, region, name string) (parent any, has bool)
}

// draw draws a fleet.
func (s *shape) draw(t *rapid.T) map[string]any {
	root := map[string]any{}
	s.maybe(t, root, "project", func() any { return map[string]any{"variables": s.variables("project")} })
	var clouds []any
	for _, cloud := range s.places("cloud") {
		c := s.place(t, cloud)
		var regions []any
		for _, region := range s.places("region") {
			regions = append(regions, s.region(t, cloud, region))
		}
		c["regions"] = regions
		clouds = append(clouds, c)
	}
	root["clouds"] = clouds
	return root
}

// place returns a cloud, region or cell with nothing in it.
func (s *shape) place(t *rapid.T, name string) map[string]any {
	p := map[string]any{"name": name}
	s.text(t, p, "note", s.note)
	s.maybe(t, p, "variables", func() any { return s.variables("variables") })
	return p
}

func (s *shape) region(t *rapid.T, cloud, region string) map[string]any {
	r := s.place(t, region)
	var cells []any
	for _, name := range s.places("cell") {
		cells = append(cells, s.place(t, name))
	}
	if s.sparse && rapid.Bool().Draw(t, "has network") {
		n := map[string]any{"name": "n", "cidr": "10.0.0.0/8", "gateway": "10.0.0.1", "netmask": "255.0.0.0"}
		s.text(t, n, "nss", s.line)
		s.maybe(t, n, "variables", func() any { return s.variables("variables") })
		r["networks"] = []any{n}
	}
	for _, name := range s.devices() {
		key, in := "hosts", r
		if s.isNetworkDevice != nil && s.isNetworkDevice(name) {
			key = "network_devices"
		}
		if s.inCell(name) {
			if s.sparse && len(cells) == 0 {
				cells = append(cells, s.place(t, "c"))
			}
			if len(cells) > 0 {
				in = cells[0].(map[string]any)
			}
		}
		list, _ := in[key].([]any)
		in[key] = append(list, s.device(t, cloud, region, name, key))
	}
	if len(cells) > 0 {
		r["cells"] = cells
	}
	return r
}

func (s *shape) device(t *rapid.T, cloud, region, name, list string) map[string]any {
	d := map[string]any{"name": name, "ip_address": s.address(), "device_type": rapid.SampledFrom(s.types).Draw(t, "type")}
	s.maybe(t, d, "variables", func() any { return s.variables("variables") })
	s.maybe(t, d, "labels", func() any { return s.labels() })
	if parent, has := s.parent(cloud, region, name); has {
		d["parent"] = parent
	}
	if list == "network_devices" {
		s.text(t, d, "model_name", s.line)
		return d
	}
	s.text(t, d, "note", s.note)
	s.maybe(t, d, "active", func() any { return rapid.Bool().Draw(t, "active") })
	if s.sparse && rapid.IntRange(0, 3).Draw(t, "has interface") == 0 {
		i := map[string]any{"name": "eth0", "interface_type": "x", "ip_address": "10.0.0.1"}
		s.text(t, i, "vlan", s.line)
		s.maybe(t, i, "speed", func() any { return rapid.IntRange(0, 2).Draw(t, "speed") })
		d["interfaces"] = []any{i}
	}
	return d
}

// maybe sets a key, or leaves it out half of the time.
func (s *shape) maybe(t *rapid.T, m map[string]any, key string, draw func() any) {
	if !s.sparse || rapid.Bool().Draw(t, "has "+key) {
		m[key] = draw()
	}
}

// text sets a key to a text, or leaves it out.
func (s *shape) text(t *rapid.T, m map[string]any, key string, of *rapid.Generator[any]) {
	if of != nil {
		s.maybe(t, m, key, func() any { return of.Draw(t, key) })
	}
}

func anyOf[T any](values ...T) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any { return rapid.SampledFrom(values).Draw(t, "value") })
}

// some returns up to three of several texts.
func some(t *rapid.T, texts ...string) (list []any) {
	list = []any{}
	for _, text := range rapid.SliceOfNDistinct(rapid.SampledFrom(texts), 0, 3, rapid.ID).Draw(t, "labels") {
		list = append(list, text)
	}
	return list
}

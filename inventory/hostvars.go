package inventory

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// appendHost appends the object of a host's variables, sorted by name.
func (b *builder) appendHost(dst []byte, h *host) []byte {
	trust := b.o.trust()
	mine := hierarchy.Over(b.exclude.Keep(h.device.Variables), h.above)
	shared := h.base.entries
	computed := b.computed(h.device)
	dst = append(dst, '{')
	begin := len(dst)
	comma := func() {
		if len(dst) > begin {
			dst = append(dst, ',')
		}
	}
	for len(mine) > 0 || len(shared) > 0 || len(computed) > 0 {
		var name string
		isMine := len(mine) > 0 && (len(shared) == 0 || mine[0].Name <= shared[0].name)
		isShared := !isMine && len(shared) > 0
		switch {
		case isMine:
			name = mine[0].Name
		case isShared:
			name = shared[0].name
		}
		if len(computed) > 0 {
			if !isMine && !isShared || computed[0] < name {
				comma()
				dst = b.appendComputed(dst, computed[0], h.device)
				computed = computed[1:]
				continue
			}
			if computed[0] == name { // set on purpose: ansible_host
				computed = computed[1:]
			}
		}
		if isMine {
			comma()
			dst = append(jsontext.AppendUTF8(dst, name), ':')
			dst = ansible.AppendValue(dst, mine[0].Value, trust)
			mine = mine[1:]
			if len(shared) > 0 && shared[0].name == name {
				shared = shared[1:]
			}
			continue
		}
		if shared[0].inHost {
			comma()
			dst = append(dst, shared[0].text...)
		}
		shared = shared[1:]
	}
	return append(dst, '}')
}

// The marker of a stale inventory, which is used because the server cannot be reached: a member of the facts or,
// without facts, a variable. Documents are made with false; see writeStale.
const (
	staleFact     = "stale"
	staleVariable = "craton_stale"
)

// ownVariable returns the variable that every host has, whose name no variable of the fleet may have.
func (o *Options) ownVariable() string { return cmp.Or(o.Facts, staleVariable) }

// computed returns the variables that the inventory adds, sorted. They must not be written to.
func (b *builder) computed(d *Device) []string {
	b.once.Do(func() {
		b.added = []string{b.o.ownVariable()}
		b.addedTo = []string{ansible.HostAddress, b.o.ownVariable()}
		slices.Sort(b.addedTo)
	})
	if d.IPAddress == "" {
		return b.added
	}
	return b.addedTo
}

func (b *builder) appendComputed(dst []byte, name string, d *Device) []byte {
	dst = append(jsontext.AppendUTF8(dst, name), ':')
	switch name {
	case b.o.Facts:
		return b.appendFacts(dst, d)
	case staleVariable:
		return append(dst, "false"...)
	}
	return ansible.AppendText(dst, d.IPAddress, b.o.trust())
}

// appendFacts appends Craton's own fields of a device. Every member is always present, null if unset.
func (b *builder) appendFacts(dst []byte, d *Device) []byte {
	dst = append(dst, '{')
	for i := range facts[d.Kind] {
		fact := &facts[d.Kind][i]
		dst = fact.append(b, append(dst, fact.member...), d)
	}
	return append(dst, '}')
}

// fact is one of the facts.
type fact struct {
	member string // `"name":`, preceded by a comma except for the first
	append func(b *builder, dst []byte, d *Device) []byte
}

// facts are the facts of each kind, sorted: its fields and those that every device has, and the names of referenced
// places.
var facts = func() (all [len(kinds)][]fact) {
	text := func(of func(b *builder, d *Device) string) func(*builder, []byte, *Device) []byte {
		return func(b *builder, dst []byte, d *Device) []byte {
			return ansible.AppendTextOrNull(dst, of(b, d), b.o.trust())
		}
	}
	id := func(of func(*Device) int) func(*builder, []byte, *Device) []byte {
		return func(_ *builder, dst []byte, d *Device) []byte { return appendID(dst, of(d)) }
	}
	flag := func(of func(*Device) bool) func(*builder, []byte, *Device) []byte {
		return func(_ *builder, dst []byte, d *Device) []byte { return strconv.AppendBool(dst, of(d)) }
	}
	members := map[string]func(*builder, []byte, *Device) []byte{ // fields with a member in Device
		"id":          id(func(d *Device) int { return d.ID }),
		"name":        text(func(_ *builder, d *Device) string { return d.Name }),
		"kind":        text(func(_ *builder, d *Device) string { return d.Kind.String() }),
		"labels":      func(b *builder, dst []byte, d *Device) []byte { return b.appendLabels(dst, d.Labels) },
		"project_id":  text(func(_ *builder, d *Device) string { return d.ProjectID }),
		"active":      flag(func(d *Device) bool { return d.Active }),
		"device_type": text(func(_ *builder, d *Device) string { return d.DeviceType }),
		"ip_address":  text(func(_ *builder, d *Device) string { return d.IPAddress }),
		"cloud_id":    id(func(d *Device) int { return d.CloudID }),
		"cloud":       text(func(b *builder, d *Device) string { return b.f.cloudName(d.CloudID) }),
		"region_id":   id(func(d *Device) int { return d.RegionID }),
		"region":      text(func(b *builder, d *Device) string { return b.f.regionName(d.RegionID) }),
		"cell_id":     id(func(d *Device) int { return d.CellID }),
		"cell": text(func(b *builder, d *Device) string {
			if c := b.f.Cells[d.CellID]; c != nil {
				return c.Name
			}
			return ""
		}),
		staleFact:   func(_ *builder, dst []byte, _ *Device) []byte { return append(dst, "false"...) },
		"parent_id": id(func(d *Device) int { return d.ParentID }),
		"parent": text(func(b *builder, d *Device) string {
			if p := b.f.Devices[d.ParentID]; p != nil {
				return p.Name
			}
			return ""
		}),
	}
	for kind, k := range kinds {
		of := maps.Clone(members)
		for _, f := range slices.Concat(schema.Device.Fields, k.Fields) {
			if of[f.Key] != nil {
				continue
			}
			i := Kind(kind).other(f.Key) //nolint:gosec // there are two
			switch {
			case i < 0: // every device has it, for this kind
				of[f.Key] = text(func(*builder, *Device) string { return "" })
			case f.Type == schema.Integer || f.Type == schema.Flag || f.Type == schema.Reference:
				of[f.Key] = func(_ *builder, dst []byte, d *Device) []byte { return append(dst, cmp.Or(d.other(i), "null")...) }
			default:
				of[f.Key] = text(func(_ *builder, d *Device) string { return d.other(i) })
			}
		}
		for i, name := range slices.Sorted(maps.Keys(of)) {
			member := `"` + name + `":`
			if i > 0 {
				member = "," + member
			}
			all[kind] = append(all[kind], fact{member, of[name]})
		}
	}
	return all
}()

// appendLabels appends labels, null if they are not known.
func (b *builder) appendLabels(dst []byte, labels []string) []byte {
	if labels == nil {
		return append(dst, "null"...)
	}
	dst = append(dst, '[')
	for i, l := range labels {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = ansible.AppendText(dst, l, b.o.trust())
	}
	return append(dst, ']')
}

// appendID appends an id, null for 0.
func appendID(dst []byte, id int) []byte {
	if id == 0 {
		return append(dst, "null"...)
	}
	return strconv.AppendInt(dst, int64(id), 10)
}

package inventory

import (
	"slices"
	"strconv"

	"github.com/craton-fleet/craton/internal/hierarchy"
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
			dst = append(ansible.AppendQuoted(dst, name), ':')
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

// computed are the variables that the inventory adds, sorted.
func (b *builder) computed(d *Device) []string {
	var names []string
	if d.IPAddress != "" {
		names = append(names, ansible.HostAddress)
	}
	if b.o.Facts != "" {
		names = append(names, b.o.Facts)
		slices.Sort(names)
	}
	return names
}

func (b *builder) appendComputed(dst []byte, name string, d *Device) []byte {
	dst = append(ansible.AppendQuoted(dst, name), ':')
	if name == b.o.Facts {
		return b.appendFacts(dst, d)
	}
	return ansible.AppendText(dst, d.IPAddress, b.o.trust())
}

// appendFacts appends what Craton knows of a device itself. Every member is always there, null where there is none.
func (b *builder) appendFacts(dst []byte, d *Device) []byte {
	trust := b.o.trust()
	text := func(name, value string) {
		dst = append(append(dst, name...), ':')
		dst = ansible.AppendTextOrNull(dst, value, trust)
	}
	id := func(name string, value int) {
		dst = append(append(dst, name...), ':')
		dst = appendID(dst, value)
	}
	cell, parent := "", ""
	if c := b.f.Cells[d.CellID]; c != nil {
		cell = c.Name
	}
	if p := b.f.Devices[d.ParentID]; p != nil {
		parent = p.Name
	}
	dst = append(dst, `{"active":`...)
	if d.Active {
		dst = append(dst, "true"...)
	} else {
		dst = append(dst, "false"...)
	}
	text(`,"cell"`, cell)
	id(`,"cell_id"`, d.CellID)
	text(`,"cloud"`, b.f.cloudName(d.CloudID))
	id(`,"cloud_id"`, d.CloudID)
	text(`,"device_type"`, d.DeviceType)
	id(`,"id"`, d.ID)
	text(`,"ip_address"`, d.IPAddress)
	text(`,"kind"`, d.Kind.String())
	dst = append(dst, `,"labels":`...)
	dst = b.appendLabels(dst, d.Labels)
	if d.Model != nil {
		text(`,"model_name"`, d.Model.Name)
	}
	text(`,"name"`, d.Name)
	text(`,"note"`, d.Note)
	if d.Model != nil {
		text(`,"os_version"`, d.Model.OSVersion)
	}
	text(`,"parent"`, parent)
	id(`,"parent_id"`, d.ParentID)
	text(`,"project_id"`, d.ProjectID)
	text(`,"region"`, b.f.regionName(d.RegionID))
	id(`,"region_id"`, d.RegionID)
	if d.Model != nil {
		text(`,"vlans"`, d.Model.VLANs)
	}
	return append(dst, '}')
}

// appendLabels appends labels, null where they are not known.
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

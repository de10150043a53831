package inventory

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// index is cached with the document of a fleet. It has everything except the variables of devices, which are in the
// document, merged with what they inherit. If little has changed, the new document is made from the old one, the index
// and the changes.
type index struct {
	fleet *Fleet
	texts []hostText // of its hosts, sorted by id
}

// hostText is the position of the object of a host's variables in a document.
type hostText struct {
	ansible.Place
	id int
	at int // the index of the host in the document, from 0
}

// find returns the text of a host; nil if it has none.
func (x *index) find(id int) *hostText {
	i, found := slices.BinarySearchFunc(x.texts, id, func(t hostText, id int) int { return t.id - id })
	if !found {
		return nil
	}
	return &x.texts[i]
}

// indexForm is the first byte of an index.
const indexForm = 1

var errIndex = errors.New("the index of a cached inventory cannot be read")

// appendIndex appends the index of a fleet, with the texts of its hosts.
func appendIndex(dst []byte, f *Fleet, texts []hostText) []byte {
	x := &index{texts: slices.SortedFunc(slices.Values(texts), func(a, b hostText) int { return a.id - b.id })}
	w := indexWriter{b: append(dst, indexForm), words: map[string]int{}}
	w.int(len(f.Projects))
	for _, id := range slices.Sorted(maps.Keys(f.Projects)) {
		w.word(id)
		w.variables(f.Projects[id])
	}
	for _, places := range []map[int]*Place{f.Clouds, f.Regions, f.Cells} {
		w.int(len(places))
		for _, p := range sortedPlaces(places) {
			w.int(p.ID)
			w.text(p.Name)
			w.int(p.CloudID)
			w.int(p.RegionID)
			w.word(p.ProjectID)
			w.variables(p.Variables)
		}
	}
	needed := slices.Clone(f.Hosts)
	above := map[int]bool{}
	for _, d := range f.Hosts {
		for at := f.Devices[d.ParentID]; at != nil && !above[at.ID]; at = f.Devices[at.ParentID] {
			if above[at.ID] = true; x.find(at.ID) == nil {
				needed = append(needed, at)
			}
		}
	}
	slices.SortFunc(needed, func(a, b *Device) int { return a.ID - b.ID })
	w.int(len(needed))
	for _, d := range needed {
		w.device(d, x.find(d.ID))
	}
	return w.b
}

type indexWriter struct {
	b     []byte
	words map[string]int
}

func (w *indexWriter) int(n int) { w.b = binary.AppendUvarint(w.b, uint64(n)) } //nolint:gosec // none is negative

func (w *indexWriter) text(s string) {
	w.int(len(s))
	w.b = append(w.b, s...)
}

// word writes a repeated text: the first time itself, then its number.
func (w *indexWriter) word(s string) {
	n, known := w.words[s]
	w.int(n)
	if !known {
		w.words[s] = len(w.words) + 1
		w.text(s)
	}
}

func (w *indexWriter) variables(v Variables) {
	w.int(len(v))
	for i := range v {
		w.word(v[i].Name)
		w.text(v[i].Value)
	}
}

// Flags of a device.
const (
	isNetworkDevice = 1 << iota
	belowNetworkDevice
	isActive
	knowsLabels
	isListed
)

func (w *indexWriter) device(d *Device, at *hostText) {
	flags := 0
	if d.Kind == NetworkDeviceKind {
		flags |= isNetworkDevice
	}
	if d.ParentKind == NetworkDeviceKind {
		flags |= belowNetworkDevice
	}
	if d.Active {
		flags |= isActive
	}
	if d.Labels != nil {
		flags |= knowsLabels
	}
	if at != nil {
		flags |= isListed
	}
	w.int(flags)
	w.int(d.ID)
	w.text(d.Name)
	w.text(d.IPAddress)
	w.word(d.DeviceType)
	for _, id := range []int{d.CloudID, d.RegionID, d.CellID, d.ParentID} {
		w.int(id)
	}
	w.word(d.ProjectID)
	w.int(len(d.Labels))
	for _, l := range d.Labels {
		w.word(l)
	}
	w.int(len(d.Others))
	for _, o := range d.Others {
		w.word(o)
	}
	if at != nil {
		w.int(at.at)
		w.int(int(at.End))
		w.int(at.Size)
	}
}

// readIndex reads the index of a document with a length in bytes.
func readIndex(text []byte, document int64) (*index, error) {
	r := indexReader{s: string(text)}
	x := &index{fleet: &Fleet{
		Projects: map[string]Variables{}, Clouds: map[int]*Place{}, Regions: map[int]*Place{}, Cells: map[int]*Place{},
	}}
	f := x.fleet
	if r.int() != indexForm {
		return nil, errIndex
	}
	for range r.count() {
		id := r.word()
		f.Projects[id] = r.variables()
	}
	for _, places := range []map[int]*Place{f.Clouds, f.Regions, f.Cells} {
		for range r.count() {
			p := &Place{ID: r.int(), Name: r.text(), CloudID: r.int(), RegionID: r.int(), ProjectID: r.word(), Variables: r.variables()}
			places[p.ID] = p
		}
	}
	n := r.count()
	devices := make([]Device, n)
	f.Devices, f.Hosts, x.texts = make(map[int]*Device, n), make([]*Device, 0, n), make([]hostText, 0, n)
	for i := range devices {
		d := &devices[i]
		at, listed := r.device(d)
		if i > 0 && d.ID <= devices[i-1].ID {
			return nil, errIndex
		}
		if listed {
			if at.End > document || int64(at.Size) > at.End {
				return nil, errIndex
			}
			x.texts = append(x.texts, at)
			f.Hosts = append(f.Hosts, d)
		}
		f.Devices[d.ID] = d
	}
	if r.bad || r.s != "" {
		return nil, errIndex
	}
	return x, nil
}

// indexReader reads what an indexWriter wrote. After an error it reads nothing more.
type indexReader struct {
	s     string
	words []string
	bad   bool
}

func (r *indexReader) int() int {
	var n, shift uint64
	for i := 0; i < len(r.s) && shift < 63; i++ {
		c := r.s[i]
		n |= uint64(c&0x7F) << shift
		if shift += 7; c < 0x80 {
			r.s = r.s[i+1:]
			return int(n) //nolint:gosec // 63 bits
		}
	}
	r.s, r.bad = "", true
	return 0
}

// count reads the number of items that follow; each takes at least one byte.
func (r *indexReader) count() int {
	n := r.int()
	if n > len(r.s) {
		r.s, r.bad = "", true
		return 0
	}
	return n
}

func (r *indexReader) text() string {
	n := r.count()
	text := r.s[:n]
	r.s = r.s[n:]
	return text
}

func (r *indexReader) word() string {
	n := r.int()
	switch {
	case r.bad:
		return ""
	case n == 0:
		s := r.text()
		r.words = append(r.words, s)
		return s
	case n > len(r.words):
		r.s, r.bad = "", true
		return ""
	}
	return r.words[n-1]
}

func (r *indexReader) variables() Variables {
	n := r.count()
	if n == 0 {
		return nil
	}
	v := make(Variables, n)
	for i := range v {
		v[i].Name, v[i].Value = r.word(), r.text()
	}
	return v
}

func (r *indexReader) texts(known bool) []string {
	n := r.count()
	if n == 0 && !known {
		return nil
	}
	all := make([]string, n)
	for i := range all {
		all[i] = r.word()
	}
	return all
}

func (r *indexReader) device(d *Device) (at hostText, listed bool) {
	flags := r.int()
	if flags&isNetworkDevice != 0 {
		d.Kind = NetworkDeviceKind
	}
	if flags&belowNetworkDevice != 0 {
		d.ParentKind = NetworkDeviceKind
	}
	d.Active = flags&isActive != 0
	d.ID, d.Name, d.IPAddress, d.DeviceType = r.int(), r.text(), r.text(), r.word()
	d.CloudID, d.RegionID, d.CellID, d.ParentID = r.int(), r.int(), r.int(), r.int()
	d.ProjectID = r.word()
	d.Labels = r.texts(flags&knowsLabels != 0)
	d.Others = r.texts(false)
	if listed = flags&isListed != 0; listed {
		at = hostText{id: d.ID, at: r.int(), Place: ansible.Place{End: int64(r.int()), Size: r.int()}}
	}
	return at, listed
}

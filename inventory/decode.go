package inventory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/hierarchy"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// decoder decodes devices from listings. Everything that is kept of a page goes into one string, and repeated words
// (names of variables, device types, labels, projects) are stored once, so that the body of the page, which is many
// times larger, can be freed. Not for concurrent use.
type decoder struct {
	words    map[string]string
	projects map[string]string // spellings of project ids, with the canonical one
	labeled  []string
	arena    []byte
	devices  []Device // in the current batch
	vars     []Variable
	counts   []int  // of the variables of each device
	spans    []span // the position of a field's text in the arena
}

// span is a text in the arena: of a field of a device, or of a variable.
type span struct {
	device, field int // field -1: device is an index of vars
	from, to      int
}

const (
	fieldName = iota
	fieldIP
	fieldOther      // and more: fields that have no member in Device
	ofVariable = -1 //
)

func newDecoder() *decoder {
	return &decoder{words: map[string]string{}, projects: map[string]string{}}
}

// page decodes a page of a listing; with details, its devices must have variables.
func (d *decoder) page(raw *craton.RawPage, kind Kind, details bool) ([]Device, error) {
	x, found := jsontext.NewScanner(jsontext.Text(raw.Body)), false
	var devices []Device
	var err error
	x.Members(func(key string) {
		if key != kind.key() || x.Peek() != '[' {
			x.Skip()
			return
		}
		found = true
		devices, err = d.list(x, kind, details)
	})
	if !found {
		return nil, fmt.Errorf("it has no list %q", kind.key())
	}
	return devices, err
}

func (d *decoder) list(x *jsontext.Scanner, kind Kind, details bool) ([]Device, error) {
	var first error
	x.Elements(func() {
		if err := d.device(x, kind, details); err != nil && first == nil {
			first = err
		}
	})
	devices := d.take(kind)
	if first != nil {
		return nil, first
	}
	return devices, nil
}

// take returns the devices decoded since the last call, all of one kind.
func (d *decoder) take(kind Kind) []Device {
	kept := string(d.arena)
	n := len(others[kind])
	texts := make([]string, n*len(d.devices))
	for i := range d.devices {
		d.devices[i].Others = texts[i*n : (i+1)*n : (i+1)*n]
	}
	for _, s := range d.spans {
		d.set(s, kept[s.from:s.to])
	}
	vars := slices.Clone(d.vars)
	for i, n := range d.counts {
		d.devices[i].Variables = Variables(vars[:n:n]).Tidy()
		vars = vars[n:]
	}
	devices := slices.Clip(d.devices)
	d.devices, d.arena, d.vars, d.counts, d.spans = nil, d.arena[:0], d.vars[:0], d.counts[:0], d.spans[:0]
	return devices
}

// device decodes one object.
func (d *decoder) device(x *jsontext.Scanner, kind Kind, details bool) error {
	if d.devices == nil {
		d.devices = make([]Device, 0, craton.MaxLimit)
	}
	i, before := len(d.devices), len(d.vars)
	d.devices = append(d.devices, Device{Kind: kind})
	defer func() { d.counts = append(d.counts, len(d.vars)-before) }()
	dev := &d.devices[i]
	links, sawVariables, altered, misfit := "", false, "", ""
	x.Members(func(key string) {
		switch key {
		case "id":
			dev.ID = x.ID()
		case "cloud_id":
			dev.CloudID = x.ID()
		case "region_id":
			dev.RegionID = x.ID()
		case "cell_id":
			dev.CellID = x.ID()
		case "parent_id":
			dev.ParentID = x.ID()
		case "active":
			dev.Active = x.Bool()
		case "project_id":
			dev.ProjectID = d.projectID(x.Str())
		case "device_type":
			dev.DeviceType = d.word(x.Str())
		case "name":
			d.field(i, fieldName, x.Str())
		case "ip_address":
			d.field(i, fieldIP, x.Str())
		case "labels":
			ok := false
			if x.Peek() == '[' {
				dev.Labels, ok = d.labels(x)
			} else {
				ok = x.Skip() == "null"
			}
			if !ok {
				misfit = key
			}
		case "links":
			links = x.Skip()
		case "variables":
			sawVariables = x.Peek() == '{'
			d.variables(x)
		default:
			n := kind.other(key)
			if n < 0 {
				x.Skip()
				break
			}
			text, ok := scalar(x, others[kind][n].Type)
			if d.field(i, fieldOther+n, text); !ok {
				misfit = key
			}
		}
		if x.Altered() {
			altered = key
		}
		if x.Misfit() {
			misfit = key
		}
	})
	if dev.ID <= 0 {
		return fmt.Errorf("it holds a %s without an id", kind)
	}
	if altered != "" {
		what, special := map[string]string{"labels": "a label", "variables": "a key of the variables"}[altered]
		if !special {
			what = "the " + altered
		}
		return fmt.Errorf("%s of %s %d %w", what, kind, dev.ID, value.ErrNotUTF8)
	}
	if misfit != "" {
		return fmt.Errorf("%s of %s %d is of the wrong type", misfit, kind, dev.ID)
	}
	if details && !sawVariables {
		return fmt.Errorf("%s %d has no variables, although they were requested", kind, dev.ID)
	}
	dev.ParentKind = parentKind(dev.ParentID, links)
	return nil
}

// parentKind returns the kind of a device's parent, from the device's links.
func parentKind(id int, links string) Kind {
	if id != 0 && strings.Contains(links, NetworkDeviceKind.path()+"/") {
		return NetworkDeviceKind
	}
	return HostKind
}

// field stores a text of a device.
func (d *decoder) field(device, field int, text string) {
	if text == "" { // also null
		return
	}
	from := len(d.arena)
	d.arena = append(d.arena, text...)
	d.spans = append(d.spans, span{device, field, from, len(d.arena)})
}

// variables stores the members of an object.
func (d *decoder) variables(x *jsontext.Scanner) {
	// Most devices have the same names in the same order as the previous one: then no name is looked up.
	before, at := 0, len(d.vars)
	if n := len(d.counts); n > 0 {
		before = len(d.vars) - d.counts[n-1]
	}
	x.Members(func(key string) {
		var name string
		if like := before + len(d.vars) - at; like < at && d.vars[like].Name == key {
			name = d.vars[like].Name
		} else {
			name = d.word(key)
		}
		from := len(d.arena)
		d.arena = x.Clean(d.arena)
		d.spans = append(d.spans, span{len(d.vars), ofVariable, from, len(d.arena)})
		d.vars = append(d.vars, Variable{Name: name})
	})
}

func (d *decoder) set(s span, kept string) {
	if s.field == ofVariable {
		d.vars[s.device].Value = kept
		return
	}
	dev := &d.devices[s.device]
	switch s.field {
	case fieldName:
		dev.Name = kept
	case fieldIP:
		dev.IPAddress = kept
	default:
		dev.Others[s.field-fieldOther] = kept
	}
}

// scalar reads the value of a field: a text as it is, another value as JSON, null as "".
func scalar(x *jsontext.Scanner, t schema.Type) (text string, ok bool) {
	switch t {
	case schema.Integer, schema.Reference:
		if text = x.Skip(); text == "null" {
			return "", true
		}
		_, err := strconv.Atoi(text)
		return text, err == nil
	case schema.Flag:
		text = x.Skip()
		return strings.TrimPrefix(text, "null"), text == "true" || text == "false" || text == "null"
	default:
		return x.Str(), true // Misfit reports it
	}
}

// word returns a shared copy of a repeated text.
func (d *decoder) word(s string) string {
	if s == "" {
		return ""
	}
	kept, ok := d.words[s]
	if !ok {
		kept = strings.Clone(s)
		d.words[kept] = kept
	}
	return kept
}

// labels reads a list of labels; ok reports whether all are texts.
func (d *decoder) labels(x *jsontext.Scanner) (sorted []string, ok bool) {
	labels := d.labeled[:0]
	ok = true
	x.Elements(func() {
		ok = ok && x.Peek() == '"'
		labels = append(labels, d.word(x.Str()))
	})
	d.labeled = labels
	slices.Sort(labels)
	return append(make([]string, 0, len(labels)), slices.Compact(labels)...), ok
}

// projectID is like the function projectID, for a repeated text: all devices share one copy.
func (d *decoder) projectID(s string) string {
	if kept, ok := d.projects[s]; ok {
		return kept
	}
	id := strings.Clone(projectID(s))
	d.projects[strings.Clone(s)] = id
	return id
}

// projectID returns a UUID in its canonical spelling; the API sometimes responds with the caller's spelling (Q2).
func projectID(id string) string {
	if canonical, ok := value.ParseUUID(id); ok {
		return canonical
	}
	return id
}

// variablesOf converts Variables from the client library.
func variablesOf(v craton.Variables) Variables {
	all := hierarchy.Of(v)
	for i := range all {
		all[i].Value = string(jsontext.AppendClean(nil, all[i].Value))
	}
	return all
}

package inventory

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/craton"
)

// decoder makes devices of the bodies of listings. All that is kept of a page goes into one string, and words that
// repeat (names of variables, device types, labels, projects) are kept once, so that a page's body, which is many
// times larger, is free again. Not for concurrent use.
type decoder struct {
	words   map[string]string
	arena   []byte
	devices []Device
	vars    []Variable
	spans   []span // where in the arena a field's text is
}

// span is a text in the arena: of a field of a device, or of a variable.
type span struct {
	device, field int // field -1: device is an index of vars
	from, to      int
}

const (
	fieldName = iota
	fieldIP
	fieldNote
	fieldModel
	fieldOS
	fieldVLANs
	ofVariable = -1
)

func newDecoder() *decoder { return &decoder{words: map[string]string{}} }

// text is body as a string without a copy. Bodies are never written to.
func text(body []byte) string { return unsafe.String(unsafe.SliceData(body), len(body)) }

// page decodes a page of a listing; details says that its devices must have variables.
func (d *decoder) page(raw *craton.RawPage, kind Kind, details bool) ([]Device, error) {
	list := gjson.Get(text(raw.Body), kind.key())
	if !list.IsArray() {
		return nil, fmt.Errorf("it has no list %q", kind.key())
	}
	return d.list(list, kind, details)
}

// one decodes a single device.
func (d *decoder) one(body []byte, kind Kind) (*Device, error) {
	if !gjson.ValidBytes(body) {
		return nil, errors.New("it is not JSON")
	}
	devices, err := d.list(gjson.Parse("["+string(body)+"]"), kind, true)
	if err != nil {
		return nil, err
	}
	return &devices[0], nil
}

func (d *decoder) list(list gjson.Result, kind Kind, details bool) ([]Device, error) {
	d.arena, d.vars, d.spans, d.devices = d.arena[:0], nil, d.spans[:0], nil
	var counts []int // of the variables of each device
	var err error
	list.ForEach(func(_, object gjson.Result) bool {
		before := len(d.vars)
		if err = d.device(object, kind, details); err != nil {
			return false
		}
		counts = append(counts, len(d.vars)-before)
		return true
	})
	if err != nil {
		return nil, err
	}
	kept := string(d.arena)
	for _, s := range d.spans {
		d.set(s, kept[s.from:s.to])
	}
	vars := slices.Clip(d.vars)
	for i, n := range counts {
		d.devices[i].Variables = Variables(vars[:n:n]).tidy()
		vars = vars[n:]
	}
	return slices.Clip(d.devices), nil
}

// device decodes one object.
func (d *decoder) device(object gjson.Result, kind Kind, details bool) error {
	i := len(d.devices)
	d.devices = append(d.devices, Device{Kind: kind})
	dev := &d.devices[i]
	links, sawVariables := "", false
	object.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "id":
			dev.ID = int(v.Int())
		case "cloud_id":
			dev.CloudID = int(v.Int())
		case "region_id":
			dev.RegionID = int(v.Int())
		case "cell_id":
			dev.CellID = int(v.Int())
		case "parent_id":
			dev.ParentID = int(v.Int())
		case "active":
			dev.Active = v.Bool()
		case "project_id":
			dev.ProjectID = projectID(d.word(v.Str))
		case "device_type":
			dev.DeviceType = d.word(v.Str)
		case "name":
			d.field(i, fieldName, v)
		case "ip_address":
			d.field(i, fieldIP, v)
		case "note":
			d.field(i, fieldNote, v)
		case "model_name":
			d.field(i, fieldModel, v)
		case "os_version":
			d.field(i, fieldOS, v)
		case "vlans":
			d.field(i, fieldVLANs, v)
		case "labels":
			if v.IsArray() {
				dev.Labels = d.labels(v)
			}
		case "links":
			links = v.Raw
		case "variables":
			sawVariables = v.IsObject()
			d.variables(v)
		}
		return true
	})
	if dev.ID <= 0 {
		return fmt.Errorf("it holds a %s without an id", kind)
	}
	if details && !sawVariables {
		return fmt.Errorf("%s %d comes without its variables, although they were asked for", kind, dev.ID)
	}
	if kind == NetworkDeviceKind {
		dev.Model = &Model{}
	}
	if dev.ParentID != 0 && strings.Contains(links, NetworkDeviceKind.path()+"/") {
		dev.ParentKind = NetworkDeviceKind
	}
	return nil
}

// field keeps a text of a device.
func (d *decoder) field(device, field int, v gjson.Result) {
	if v.Str == "" { // also null
		return
	}
	from := len(d.arena)
	d.arena = append(d.arena, v.Str...)
	d.spans = append(d.spans, span{device, field, from, len(d.arena)})
}

// variables keeps the members of an object.
func (d *decoder) variables(object gjson.Result) {
	object.ForEach(func(key, value gjson.Result) bool {
		from := len(d.arena)
		d.arena = appendClean(d.arena, value.Raw)
		d.spans = append(d.spans, span{len(d.vars), ofVariable, from, len(d.arena)})
		d.vars = append(d.vars, Variable{Name: d.word(key.Str)})
		return true
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
	case fieldNote:
		dev.Note = kept
	}
	if dev.Model != nil {
		switch s.field {
		case fieldModel:
			dev.Model.Name = kept
		case fieldOS:
			dev.Model.OSVersion = kept
		case fieldVLANs:
			dev.Model.VLANs = kept
		}
	}
}

// word keeps one copy of a text that repeats.
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

func (d *decoder) labels(list gjson.Result) []string {
	labels := []string{}
	list.ForEach(func(_, v gjson.Result) bool {
		labels = append(labels, d.word(v.Str))
		return true
	})
	slices.Sort(labels)
	return slices.Clip(slices.Compact(labels))
}

// projectID gives a UUID in its canonical spelling; the API answers in the caller's now and then (Q2).
func projectID(id string) string {
	bare := strings.Trim(strings.TrimPrefix(strings.ToLower(id), "urn:uuid:"), "{}")
	if len(bare) == 32 {
		bare = bare[:8] + "-" + bare[8:12] + "-" + bare[12:16] + "-" + bare[16:20] + "-" + bare[20:]
	}
	return bare
}

// variablesOf makes Variables of the client library's.
func variablesOf(v craton.Variables) Variables {
	all := make(Variables, 0, len(v))
	for name, value := range v {
		all = append(all, Variable{name, string(appendClean(nil, string(value)))})
	}
	return all.tidy()
}

// appendClean appends a JSON value without the space around its parts, and with what is no character replaced by
// U+FFFD, as JSON readers do: bytes that are not UTF-8, and halves of surrogate pairs. ansible-core 2.19 and later
// refuse a whole inventory for one such half.
func appendClean(dst []byte, raw string) []byte {
	inside := false
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case !inside && (c == ' ' || c == '\n' || c == '\t' || c == '\r'):
			i++
		case c == '"':
			inside = !inside
			dst = append(dst, c)
			i++
		case c == '\\':
			n := escape(raw[i:])
			if n == 0 {
				dst = append(dst, `\ufffd`...)
				i += 6
				continue
			}
			dst = append(dst, raw[i:i+n]...)
			i += n
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRuneInString(raw[i:])
			dst = utf8.AppendRune(dst, r) // U+FFFD for what is not UTF-8
			i += n
		}
	}
	return dst
}

// escape is the length of the escape sequence that s begins with, 12 for a surrogate pair, 0 for half of one.
func escape(s string) int {
	if s[1] != 'u' {
		return 2
	}
	r := hex4(s[2:])
	if !utf16.IsSurrogate(r) {
		return 6
	}
	if len(s) >= 12 && s[6] == '\\' && s[7] == 'u' && utf16.DecodeRune(r, hex4(s[8:])) != utf8.RuneError {
		return 12
	}
	return 0
}

// hex4 reads the four digits of \uXXXX; the JSON is known to be well formed.
func hex4(s string) rune {
	var r rune
	for i := range 4 {
		c := rune(s[i])
		switch {
		case c <= '9':
			c -= '0'
		case c <= 'F':
			c -= 'A' - 10
		default:
			c -= 'a' - 10
		}
		r = r<<4 | c
	}
	return r
}

package fleetfile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/yaml11"
)

// Write writes a fleet file for a tree, formatted for people: in block style, with an object's name first and its
// contents last. [Parse] reads the same wanted objects, and other readers of YAML the same values, with either version.
// Objects of one list stay in their order; equal trees are written equally.
//
// A reference to an object of the tree becomes the shortest unambiguous text. The comment is written at the top, one
// line each; it may be "".
//
// If a fleet file cannot represent something, Write returns an *Error that lists all problems with paths, and writes
// nothing.
func Write(w io.Writer, t *reconcile.Tree, comment string) error {
	f, err := newWriter(t)
	if err != nil {
		return err
	}
	f.out = bufio.NewWriterSize(w, 64<<10)
	if comment != "" {
		for line := range strings.SplitSeq(strings.TrimSuffix(comment, "\n"), "\n") {
			f.write(append([]byte(strings.TrimRight("# "+commented(line), " ")), '\n'))
		}
	}
	f.file()
	return f.out.Flush()
}

// commented returns a comment line without characters that YAML does not allow, or treats as line breaks.
func commented(line string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\ufffe' || r == '\uffff' {
			return '\ufffd'
		}
		return r
	}, line)
}

// writer writes one tree.
type writer struct {
	out   *bufio.Writer
	inner map[*reconcile.Wanted][]*reconcile.Wanted // the contents of an object; those of nil are the project and the clouds
	named map[*schema.Kind]map[string]int           // the number of objects in a name space that a text can mean
	buf   []byte
	json  []byte
}

// newWriter examines the complete tree before anything is written.
func newWriter(t *reconcile.Tree) (*writer, error) {
	f := &writer{inner: map[*reconcile.Wanted][]*reconcile.Wanted{}, named: map[*schema.Kind]map[string]int{}}
	referred := map[*schema.Kind]bool{}
	for _, o := range t.Objects {
		f.inner[o.In] = append(f.inner[o.In], o)
		for option := range o.Refs {
			referred[reconcile.Referred(o.Kind, option)] = true
		}
	}
	for _, o := range t.Objects {
		space := reconcile.Space(o.Kind)
		if space == schema.Cell || !referred[space] {
			continue
		}
		if f.named[space] == nil {
			f.named[space] = map[string]int{}
		}
		for _, m := range reconcile.Mentions(o.ReferencePath()) {
			f.named[space][m]++
		}
	}
	return f, f.check(t)
}

// check returns an error for what the file cannot represent, as its reader would.
func (f *writer) check(t *reconcile.Tree) error {
	all := reader{objects: t.Objects}
	one := reader{names: map[nameKey]*reconcile.Wanted{}, texts: map[string]string{}, values: map[string]json.RawMessage{}, boxes: map[string]any{}}
	names := map[nameKey]*reconcile.Wanted{}
	for _, o := range t.Objects {
		spec := specOf(o.Kind)
		if spec == nil {
			return fmt.Errorf("a fleet file cannot contain a %s", o.Kind.Noun())
		}
		var inside bool
		if spec == projectSpec || spec == cloudSpec {
			inside = o.In == nil
		} else {
			inside = o.In != nil && slices.Contains(specOf(o.In.Kind).lists, spec)
		}
		if !inside {
			return fmt.Errorf("the %s %s of the tree is not in anything that can contain it", spec.noun, o.Name)
		}
		path := pathOf(o)
		f.json = f.appendObject(f.json[:0], o, spec)
		parsed, err := (&jsonReader{data: f.json}).document()
		if err != nil {
			all.Add(0, path, "cannot be read: %s", err)
			continue
		}
		clear(one.names) // within the tree they are compared below
		one.objects, one.List = one.objects[:0], nil
		one.object(parsed, spec, nil, path)
		all.List = append(all.List, one.List...)
		key := nameKey{reconcile.Space(o.Kind), o.Scope(), o.Name}
		if other := names[key]; other != nil {
			all.Add(0, path, "this name is used twice: the other one is %s; rename one of them", pathOf(other))
		}
		names[key] = o
		for option, ref := range o.Refs {
			if ref.Target != nil && f.referenceText(o, option, ref) == "" {
				all.Add(0, path+"."+option, "no reference identifies %s alone; rename it", reconcile.PathName(strings.Join(ref.Target.ReferencePath(), "/")))
			}
		}
	}
	all.reportCycles()
	return all.Err(t.Name)
}

// pathOf returns the position of an object in the file.
func pathOf(o *reconcile.Wanted) string {
	spec := specOf(o.Kind)
	if spec == projectSpec {
		return spec.list
	}
	path := spec.list + "[" + reconcile.PathName(o.Name) + "]"
	if o.In != nil {
		path = pathOf(o.In) + "." + path
	}
	return path
}

var specs = []*kindSpec{projectSpec, cloudSpec, regionSpec, cellSpec, networkSpec, hostSpec, networkDeviceSpec, interfaceSpec}

// specOf returns the spec of a kind; nil if fleet files do not have it.
func specOf(k *schema.Kind) *kindSpec {
	if i := slices.IndexFunc(specs, func(s *kindSpec) bool { return s.Kind == k }); i >= 0 {
		return specs[i]
	}
	return nil
}

// referenceText returns the text of a reference: the shortest one that is unambiguous in the file; "" if there is none.
func (f *writer) referenceText(o *reconcile.Wanted, option string, ref *reconcile.Reference) string {
	target := ref.Target
	if target == nil {
		return ref.Text
	}
	space := reconcile.Referred(o.Kind, option)
	if space == schema.Cell {
		return target.Name
	}
	if space == schema.Network && target.In == o.Above(schema.Region) {
		return target.Name // in its own region: see near
	}
	for _, m := range reconcile.Mentions(target.ReferencePath()) {
		if f.named[space][m] == 1 && !f.isShadowed(o, space, m) {
			return m
		}
	}
	return ""
}

// isShadowed reports whether a text names another object in the region of the object, which has precedence: see near.
func (f *writer) isShadowed(o *reconcile.Wanted, space *schema.Kind, text string) bool {
	if space != schema.Network {
		return false
	}
	return slices.ContainsFunc(f.inner[o.Above(schema.Region)], func(n *reconcile.Wanted) bool { return n.Kind == space && n.Name == text })
}

func (f *writer) file() {
	top := f.inner[nil]
	if len(top) == 0 {
		f.write([]byte(cloudSpec.list + ": []\n"))
		return
	}
	for _, o := range top {
		if o.Kind == schema.Project {
			f.json = f.appendObject(f.json[:0], o, projectSpec)
			f.write(yaml11.Style{}.AppendMember(f.buf[:0], 0, projectSpec.list, string(f.json)))
		}
	}
	f.list(nil, cloudSpec, 0)
}

// list writes the contents of an object of one kind. The column is that of the list's key.
func (f *writer) list(in *reconcile.Wanted, spec *kindSpec, column int) {
	first := true
	for _, o := range f.inner[in] {
		if o.Kind != spec.Kind {
			continue
		}
		if first {
			f.write(append(yaml11.AppendKey(spaces(f.buf[:0], column), column, spec.list), '\n'))
			first = false
		}
		f.json = f.appendObject(f.json[:0], o, spec)
		f.write(yaml11.Style{}.AppendItem(f.buf[:0], column+yaml11.Indent, string(f.json)))
		for _, l := range spec.lists {
			f.list(o, l, column+2*yaml11.Indent)
		}
	}
}

func spaces(dst []byte, n int) []byte { return append(dst, strings.Repeat(" ", n)...) }

// write writes the buffer. An error stays in the writer, and Flush returns it.
func (f *writer) write(text []byte) {
	_, _ = f.out.Write(text)
	f.buf = text
}

// appendObject appends an object of a tree without its contents, as JSON in the order of a file.
func (f *writer) appendObject(dst []byte, o *reconcile.Wanted, spec *kindSpec) []byte {
	dst = append(dst, '{')
	key := func(k string) {
		if dst[len(dst)-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendUTF8(dst, k), ':')
	}
	if spec != projectSpec {
		key("name")
		dst = jsontext.AppendUTF8(dst, o.Name)
	}
	field := func(option string) {
		f := spec.ByOption(option)
		v, given := o.Values[f.Key]
		if !given {
			return
		}
		key(option)
		switch v := v.(type) {
		case string:
			dst = jsontext.AppendUTF8(dst, v)
		case bool:
			dst = strconv.AppendBool(dst, v)
		case int:
			dst = strconv.AppendInt(dst, int64(v), 10)
		default: // unset: see reconcile.Canonical
			none := "null"
			if f.Type == schema.Integer {
				none = "0"
			}
			dst = append(dst, none...)
		}
	}
	reference := func(option string) {
		ref := o.Refs[option]
		if ref == nil {
			return
		}
		key(option)
		if text := f.referenceText(o, option, ref); text != "" {
			dst = jsontext.AppendUTF8(dst, text)
		} else {
			dst = append(dst, "null"...)
		}
	}
	const note = "note"
	if slices.Contains(spec.options, note) {
		field(note)
	}
	for _, option := range spec.options {
		if spec.ByOption(option).Type != schema.Reference && option != note {
			field(option)
		}
	}
	if o.Protected != nil {
		key(reconcile.KeyProtected)
		dst = strconv.AppendBool(dst, *o.Protected)
	}
	if o.Labels != nil {
		key("labels")
		dst = append(dst, '[')
		for i, l := range o.Labels {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = jsontext.AppendUTF8(dst, l)
		}
		dst = append(dst, ']')
	}
	for _, option := range spec.options {
		if spec.ByOption(option).Type == schema.Reference {
			reference(option)
		}
	}
	if o.Variables != nil {
		key("variables")
		dst = append(dst, '{')
		for i, name := range slices.Sorted(maps.Keys(o.Variables)) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(jsontext.AppendUTF8(dst, name), ':'), o.Variables[name]...)
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

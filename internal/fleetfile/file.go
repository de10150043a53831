package fleetfile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
)

// File is a valid fleet file. It is immutable, so one File can be applied several times, even to several APIs at once.
type File struct {
	name    string              // "" for several files
	objects []*reconcile.Wanted // in the order of the file; containers precede their contents
	notes   []Problem           // warnings
	// templates is the number of texts in variables with a template, and firstTemplate is the line of the first.
	templates, firstTemplate int
	parts                    []*File // of several files, those with warnings
}

// Len returns the number of objects in the file, including the project if it is given.
func (f *File) Len() int { return len(f.objects) }

// Warnings returns warnings about a valid file, one per line: values that Ansible would read differently in a file of
// its own, and the number of texts with templates. There are at most about 20.
func (f *File) Warnings() []string {
	var lines []string
	for _, part := range f.parts {
		lines = append(lines, part.Warnings()...)
	}
	for i, note := range f.notes {
		if i == reconcile.MaxProblems {
			lines = append(lines, fmt.Sprintf("... and %d more", len(f.notes)-i))
			break
		}
		lines = append(lines, note.In(f.name))
	}
	if f.templates > 0 {
		texts, they := "text in the variables contains a template", "it stays"
		if f.templates > 1 {
			texts, they = "texts in the variables contain templates", "they stay"
		}
		lines = append(lines, Problem{Line: f.firstTemplate, Message: fmt.Sprintf("%d %s ({{ }} and the like): %s text in Ansible, "+
			"unless the inventory trusts templates (trust_templates, CRATON_INVENTORY_TRUST_TEMPLATES)", f.templates, texts, they)}.In(f.name))
	}
	return lines
}

// Parse reads and validates a complete fleet file. name is its name in errors. The error is an *Error that lists all
// problems by line, unless r itself fails. An empty file is valid and contains nothing.
func Parse(name string, r io.Reader) (*File, error) {
	return parseInParts(name, r, partSize)
}

// parseInParts reads a file; one that is larger than a part is read in parts.
func parseInParts(name string, r io.Reader, part int) (*File, error) {
	file, err := parseObjects(name, r, part)
	if err != nil {
		return nil, err
	}
	return file.finish()
}

// parseObjects reads a file without resolving its references.
func parseObjects(name string, r io.Reader, part int) (*reader, error) {
	data, problem, err := utf8Text(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var t *tree
	if problem == nil {
		var ok bool
		// Ansible also reads JSON files as JSON: there 1e3 is a number, and "\ud83d\ude00" one character.
		if t, ok = jsonDocument(data); !ok {
			if p, t := inParts(data, part); p != nil {
				if f, err := read(name, t); p.isComplete() {
					return f, err
				}
			}
			t, problem = yamlTree(data)
		}
	}
	if problem != nil {
		return nil, &Error{Name: name, Problems: []Problem{*problem}}
	}
	return read(name, t)
}

// FromValue validates a fleet that is passed as decoded data, such as the argument of a module: mappings, lists, text,
// numbers (json.Number and json.RawMessage keep their digits), booleans and nulls. The error is an *Error whose
// problems have paths instead of lines, unless v contains something that JSON cannot.
func FromValue(v any) (*File, error) {
	t, err := dataTree(v)
	if err != nil {
		return nil, err
	}
	r, err := read("", t)
	if err != nil {
		return nil, err
	}
	return r.finish()
}

// read converts a tree to objects.
func read(name string, t *tree) (*reader, error) {
	r := &reader{source: name, names: map[nameKey]*reconcile.Wanted{}, texts: map[string]string{}, values: map[string]json.RawMessage{}, boxes: map[string]any{}}
	if t != nil && t.shape != null {
		r.file(t)
	}
	if err := r.Err(name); err != nil {
		return nil, err
	}
	return r, nil
}

// finish resolves references, and returns the file.
func (r *reader) finish() (*File, error) {
	r.resolve()
	if err := r.Err(r.source); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.notes.List, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return &File{name: r.source, objects: r.objects, notes: r.notes.List, templates: r.templates, firstTemplate: r.firstTemplate}, nil
}

// reader converts trees to objects and collects problems.
type reader struct {
	reconcile.Problems
	source  string // the name of the file in errors
	objects []*reconcile.Wanted
	names   map[nameKey]*reconcile.Wanted
	notes   reconcile.Problems
	json    bytes.Buffer // of one value
	// Shared copies of repeated values: see intern.
	texts  map[string]string
	values map[string]json.RawMessage
	boxes  map[string]any
	// As in File.
	templates, firstTemplate int
}

// nameKey identifies an object (v1 contract §6.2).
type nameKey struct {
	space *schema.Kind
	scope *reconcile.Wanted
	name  string
}

func (r *reader) file(t *tree) {
	if !r.expect(t, mapping, "", `with the keys "project" and "clouds"`) {
		return
	}
	known := []string{projectSpec.list, cloudSpec.list}
	for i := range t.entries {
		e := &t.entries[i]
		switch {
		case !r.key(e, ""):
		case e.key == reconcile.PlanMark:
			r.Add(e.line, "", "this is a saved plan, not a fleet file; apply it alone with craton apply")
			return
		case e.key == projectSpec.list:
			r.object(e.value, projectSpec, nil, e.key)
		case e.key == cloudSpec.list:
			r.objectList(e.value, cloudSpec, nil, e.key)
		default:
			r.unknown(e, "", known, nil)
		}
	}
}

// expect reports a value of another shape. An empty list or mapping may be null.
func (r *reader) expect(t *tree, s shape, path, of string) bool {
	switch t.shape {
	case s:
		return true
	case null:
	case broken:
		r.Add(t.line, path, "%s", t.text)
	default:
		r.Add(t.line, path, "must be %s %s, not %s", s, of, describe(t))
	}
	return false
}

// key reports a broken key.
func (r *reader) key(e *entry, path string) bool {
	if e.problem == "" {
		if e.note != "" {
			r.notes.Add(e.line, join(path, e.key), "%s", e.note)
		}
		return true
	}
	r.Add(e.line, join(path, e.key), "%s", e.problem)
	return false
}

func (r *reader) unknown(e *entry, path string, known []string, hints map[string]string) {
	r.Add(e.line, join(path, e.key), "%s", advice.Join("is not a known key", cmp.Or(hints[e.key], nearest.Hint(e.key, known))))
}

func (r *reader) objectList(t *tree, spec *kindSpec, in *reconcile.Wanted, path string) {
	if !r.expect(t, sequence, path, "of "+plural(spec.noun)) {
		return
	}
	i := -1
	for item := range t.elements() {
		i++
		p := path + "[" + strconv.Itoa(i) + "]"
		if item.shape == mapping {
			for _, e := range item.entries {
				if e.key == "name" && e.problem == "" && nameProblem(e.value) == "" {
					p = path + "[" + reconcile.PathName(e.value.text) + "]"
				}
			}
		}
		r.object(item, spec, in, p)
	}
}

func (r *reader) object(t *tree, spec *kindSpec, in *reconcile.Wanted, path string) {
	o := &reconcile.Wanted{Kind: spec.Kind, Noun: spec.noun, Order: spec.options, In: in, Line: t.line, Path: path}
	if spec == projectSpec {
		if t.shape == null || !r.expect(t, mapping, path, "with the key variables") {
			return
		}
	} else if t.shape == null {
		r.Add(t.line, path, "is empty; a %s is a mapping with a name", spec.noun)
		return
	} else if !r.expect(t, mapping, path, "with a name") {
		return
	}
	r.objects = append(r.objects, o)
	for i := range t.entries {
		e := &t.entries[i]
		if !r.key(e, path) {
			continue
		}
		p := place{base: path, key: e.key}
		switch f := spec.field(e.key); {
		case e.value.shape == broken:
			r.Add(e.value.line, p.String(), "%s", e.value.text)
		case e.key == "name" && spec != projectSpec:
			r.name(o, e.value, &p)
		case f != nil:
			r.value(o, f, e.value, &p)
		case e.key == reconcile.KeyProtected && spec.Protects():
			r.protected(o, e.value, &p)
		case e.key == "labels" && spec.hasLabels():
			r.labels(o, e.value, &p)
		case e.key == "variables":
			r.variables(o, e.value, &p)
		default:
			i := slices.IndexFunc(spec.lists, func(l *kindSpec) bool { return l.list == e.key })
			if i < 0 {
				r.unknown(e, path, spec.keys(), spec.hints)
				continue
			}
			r.objectList(e.value, spec.lists[i], o, p.String())
		}
	}
	if spec != projectSpec && !t.has("name") {
		r.Add(t.line, path, "name is missing; every %s needs one", spec.noun)
	}
	for _, key := range spec.required {
		if !t.has(key) {
			r.Add(t.line, path, "%s is missing; every %s needs one", key, spec.noun)
		}
	}
}

func (r *reader) name(o *reconcile.Wanted, t *tree, path *place) {
	if problem := nameProblem(t); problem != "" {
		r.Add(t.line, path.String(), "%s", problem)
		return
	}
	o.Name = t.text
	key := nameKey{reconcile.Space(o.Kind), o.Scope(), o.Name}
	other := r.names[key]
	if other == nil {
		r.names[key] = o
		return
	}
	where := "is " + other.Path
	if t.line > 0 {
		where = fmt.Sprintf("is on line %d", other.Line)
	}
	r.reportDuplicate(o, t.line, path.String(), where)
}

// reportDuplicate reports an object with the name of another one.
func (r *reader) reportDuplicate(o *reconcile.Wanted, line int, path, where string) {
	within := ""
	if scope := o.Scope(); scope != nil {
		within = fmt.Sprintf(" in the %s %s", scope.Noun, value.Shown(scope.Name))
	}
	r.AddDuplicate(o, line, path, o.Qualified(), fmt.Sprintf("the name %s is used twice%s: the other one %s", value.Shown(o.Name), within, where), "rename one of them, or merge them")
}

func (r *reader) value(o *reconcile.Wanted, f *schema.Field, t *tree, path *place) {
	if f.Type == schema.Reference {
		switch {
		case t.shape != null && t.shape != text:
			r.Add(t.line, path.String(), "%s", textProblem(t))
		case t.shape != null && t.text == "":
			r.Add(t.line, path.String(), "is empty; give the name of a %s, or null for none", reconcile.SpaceNoun(reconcile.Referred(o.Kind, f.Option())))
		default:
			if o.Refs == nil {
				o.Refs = map[string]*reconcile.Reference{}
			}
			ref := &reconcile.Reference{Line: t.line, Path: path.String()}
			if t.shape == text {
				ref.Text = t.text
			}
			o.Refs[f.Option()] = ref
		}
		return
	}
	v, problem := scalar(f, t)
	if problem != "" {
		r.Add(t.line, path.String(), "%s", problem)
		return
	}
	if o.Values == nil {
		o.Values = map[string]any{}
	}
	if text, ok := v.(string); ok && f.Type == schema.Text {
		v = r.internValue(text)
	}
	o.Values[f.Key] = v
}

// protected reads whether an object is protected from deletion.
func (r *reader) protected(o *reconcile.Wanted, t *tree, path *place) {
	v, problem := scalar(&schema.Field{Key: reconcile.KeyProtected, Type: schema.Flag}, t)
	if problem != "" {
		r.Add(t.line, path.String(), "%s", problem)
		return
	}
	o.Protected = new(v == true)
}

func (r *reader) labels(o *reconcile.Wanted, t *tree, path *place) {
	if t.shape != sequence && !r.expect(t, sequence, path.String(), "of labels") {
		return
	}
	if len(t.items) > 0 {
		o.Labels = make([]string, 0, len(t.items))
	}
	for i, item := range t.items {
		if problem := nameProblem(item); item.shape == broken {
			r.Add(item.line, path.item(i), "%s", item.text)
		} else if problem != "" {
			r.Add(item.line, path.item(i), "%s", problem)
		} else {
			o.Labels = append(o.Labels, r.intern(item.text))
			o.NoteSpot("label", item.text, item.line, func() string { return path.item(i) })
		}
	}
	slices.Sort(o.Labels)
	o.Labels = slices.Compact(o.Labels)
}

func (r *reader) variables(o *reconcile.Wanted, t *tree, path *place) {
	if t.shape != mapping && !r.expect(t, mapping, path.String(), "of names and values") {
		return
	}
	o.Variables = make(craton.Variables, len(t.entries))
	for i := range t.entries {
		e := &t.entries[i]
		p := place{in: path, key: e.key}
		if e.problem+e.note != "" && !r.key(e, path.String()) || !r.checkStorable(e.value, &p) {
			continue
		}
		if err := reconcile.CheckKey(e.key); err != nil {
			r.Add(e.line, p.String(), "%s", err)
			continue
		}
		r.template(e.line, e.key)
		r.json.Reset()
		e.value.writeJSON(&r.json)
		o.Variables[r.intern(e.key)] = r.internJSON(r.json.Bytes())
		o.NoteSpot("variable", e.key, e.line, p.String)
	}
}

// checkStorable reports everything within a variable's value that cannot be stored.
func (r *reader) checkStorable(t *tree, path *place) bool {
	ok := t.shape != broken
	if !ok {
		r.Add(t.line, path.String(), "%s", t.text)
	}
	if t.note != "" {
		r.notes.Add(t.line, path.String(), "%s", t.note)
	}
	if t.shape == text {
		r.template(t.line, t.text)
	}
	check := value.CheckText
	if t.shape == number {
		check = value.CheckNumber
	}
	if err := check(t.text); err != nil && ok {
		r.Add(t.line, path.String(), "%s", err)
		ok = false
	}
	for i := range t.entries {
		e := &t.entries[i]
		p := place{in: path, key: e.key}
		r.template(e.line, e.key)
		if err := value.CheckText(e.key); err != nil {
			r.Add(e.line, p.String(), "%s", err)
			ok = false
		}
		ok = (e.problem+e.note == "" || r.key(e, path.String())) && r.checkStorable(e.value, &p) && ok
	}
	for i, item := range t.items {
		ok = r.checkStorable(item, &place{in: path, at: i, listed: true}) && ok
	}
	return ok
}

// place is a position for errors: a key or an item within another place. Most are never printed.
type place struct {
	in     *place
	base   string // the position of the outermost
	key    string
	at     int
	listed bool // it is an item
}

func (p *place) String() string {
	base := p.base
	if p.in != nil {
		base = p.in.String()
	}
	if p.listed {
		return base + "[" + strconv.Itoa(p.at) + "]"
	}
	return join(base, p.key)
}

// item returns the position of an item of the list.
func (p *place) item(i int) string { return (&place{in: p, at: i, listed: true}).String() }

// intern returns a shared copy of a text: names of variables, labels and many values are repeated.
func (r *reader) intern(s string) string {
	if known, ok := r.texts[s]; ok {
		return known
	}
	if len(s) <= maxRepeated && len(r.texts) < maxTexts {
		r.texts[s] = s
	}
	return s
}

// internValue is like intern, for the value of a field.
func (r *reader) internValue(s string) any {
	if known, ok := r.boxes[s]; ok {
		return known
	}
	var v any = s
	if len(r.boxes) < maxTexts {
		r.boxes[s] = v
	}
	return v
}

// internJSON returns a shared copy of a value's text.
func (r *reader) internJSON(text []byte) json.RawMessage {
	if known, ok := r.values[string(text)]; ok {
		return known
	}
	text = slices.Clip(bytes.Clone(text))
	if len(text) <= maxRepeated && len(r.values) < maxTexts {
		r.values[jsontext.Text(text)] = text
	}
	return text
}

// Limits of what is stored to find repeated texts.
const (
	maxRepeated = 256
	maxTexts    = 20_000
)

// template counts a text, which may be a key, if Ansible would execute it.
func (r *reader) template(line int, s string) {
	if !strings.Contains(s, "{{") && !strings.Contains(s, "{%") && !strings.Contains(s, "{#") && !strings.HasPrefix(s, "#jinja2:") {
		return
	}
	if r.templates == 0 {
		r.firstTemplate = line
	}
	r.templates++
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" {
		return reconcile.PathName(key)
	}
	return path + "." + reconcile.PathName(key)
}

func plural(noun string) string { return noun + "s" }

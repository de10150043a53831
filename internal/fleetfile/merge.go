package fleetfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
)

// Source is a fleet file that is read together with others.
type Source struct {
	Name string // its name in errors
	Open func() (io.ReadCloser, error)
}

// Files returns the sources that paths name: files and, in directories and their subdirectories, all files ending in
// .yml, .yaml or .json, in the order of their paths. Names that begin with a dot are ignored. Files that cannot be read
// return their error when they are opened, so that they hide no problem in another file.
func Files(paths ...string) (list []Source) {
	seen := map[string]bool{}
	add := func(path string, err error) {
		if path = filepath.Clean(path); seen[path] { // both a file and its directory may be given
			return
		}
		seen[path] = true
		open := func() (io.ReadCloser, error) { return os.Open(path) }
		if err != nil {
			open = func() (io.ReadCloser, error) { return nil, err }
		}
		list = append(list, Source{path, open})
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil || !info.IsDir() {
			add(path, openError(err))
			continue
		}
		before := len(list)
		_ = filepath.WalkDir(path, func(at string, d fs.DirEntry, err error) error { // no error ends it
			switch {
			case err != nil:
				add(at, openError(err))
			case at != path && strings.HasPrefix(d.Name(), "."):
				if d.IsDir() {
					return filepath.SkipDir
				}
			case !d.IsDir() && slices.Contains([]string{".yml", ".yaml", ".json"}, filepath.Ext(at)):
				// A pipe in a directory may never end, and was probably not meant.
				if info, err := os.Stat(at); err != nil {
					add(at, openError(err))
				} else if !info.Mode().IsRegular() {
					add(at, errIrregular)
				} else {
					add(at, nil)
				}
			}
			return nil
		})
		if len(list) == before {
			add(path, errNoFiles)
		}
	}
	return list
}

// Problems with the contents of a directory.
var (
	errIrregular = errors.New("it is not a regular file; move it out of the directory, or give it another name")
	errNoFiles   = errors.New("it contains no fleet file: no name ends in .yml, .yaml or .json")
)

// openError returns the error for a file that cannot be opened, as os.Open would.
func openError(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		e.Op = "open"
	}
	return err
}

// ParseAll reads several fleet files as one: a project, cloud, region or cell may be in several files, whose contents
// are combined. Other objects may be in only one file, and so may each field and variable. The error is an *Error that
// lists the problems in all of them.
func ParseAll(sources []Source) (*File, error) {
	whole := &reader{names: map[nameKey]*reconcile.Wanted{}}
	var parts []*File
	for _, s := range sources {
		r, err := parseSource(s)
		if _, ok := errors.AsType[*Error](err); ok {
			for _, p := range reconcile.Refusals(err) { // all of them: Err limits how many are shown
				p.File = s.Name
				whole.List = append(whole.List, p)
			}
			continue
		}
		if err != nil {
			whole.List = append(whole.List, Problem{File: s.Name, Message: unread(s.Name, err), Reason: reconcile.ReasonUnreadable})
			continue
		}
		if len(sources) == 1 {
			return r.finish()
		}
		whole.merge(r)
		parts = append(parts, &File{name: r.source, notes: r.notes.List, templates: r.templates, firstTemplate: r.firstTemplate})
	}
	f, err := whole.finish() // a problem in one file hides none in the others
	if err != nil {
		return nil, err
	}
	f.parts = parts
	return f, nil
}

// unread returns why a file cannot be read, to put after its name.
func unread(name string, err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok && filepath.Clean(e.Path) == name {
		return "it cannot be read: " + e.Err.Error()
	}
	return err.Error()
}

func parseSource(s Source) (_ *reader, err error) {
	f, err := s.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	return parseObjects(s.Name, f, partSize)
}

// merge adds the contents of another file.
func (r *reader) merge(more *reader) {
	same := map[*reconcile.Wanted]*reconcile.Wanted{} // existing ones from another file
	for _, o := range more.objects {
		o.File = more.source
		if known := same[o.In]; known != nil {
			o.In = known
		}
		key := nameKey{reconcile.Space(o.Kind), o.Scope(), o.Name}
		switch known := r.names[key]; {
		case known == nil:
			r.names[key] = o
			r.objects = append(r.objects, o)
		case known.Kind == schema.Project || reconcile.Holds(known.Kind) && known.Kind == o.Kind && known.In == o.In:
			same[o] = known
			r.mergeObject(known, o)
		default:
			same[o] = known
			r.File = o.File
			r.reportDuplicate(o, o.Line, o.Path, "is at "+known.File+":"+fmt.Sprint(known.Line))
		}
	}
}

// reportDuplicateFields reports fields of an object that two files set.
func (r *reader) reportDuplicateFields(more, known *reconcile.Wanted, path string) {
	r.AddDuplicate(more, more.Line, path, known.Qualified(), fmt.Sprintf("is also set in %s, for the %s on line %d", known.File, known.Noun, known.Line), "keep one of them")
}

// mergeObject adds what another file sets in an object.
func (r *reader) mergeObject(known, more *reconcile.Wanted) {
	for text, at := range more.Beyond {
		if known.Beyond == nil {
			known.Beyond = map[string]reconcile.Position{}
		}
		at.File = more.File
		known.Beyond[text] = at
	}
	r.File = more.File
	for _, option := range more.Order {
		f := more.Kind.ByOption(option)
		v, given := more.Values[f.Key]
		if !given {
			continue
		}
		if _, twice := known.Values[f.Key]; twice {
			r.reportDuplicateFields(more, known, join(more.Path, option))
			continue
		}
		if known.Values == nil {
			known.Values = map[string]any{}
		}
		known.Values[f.Key] = v
	}
	switch {
	case more.Protected == nil:
	case known.Protected != nil:
		r.reportDuplicateFields(more, known, join(more.Path, reconcile.KeyProtected))
	default:
		known.Protected = more.Protected
	}
	for _, name := range more.Variables.Keys() {
		if _, twice := known.Variables[name]; twice {
			r.reportDuplicateFields(more, known, join(join(more.Path, reconcile.KeyVariables), name))
			continue
		}
		if known.Variables == nil {
			known.Variables = craton.Variables{}
		}
		known.Variables[name] = more.Variables[name]
	}
}

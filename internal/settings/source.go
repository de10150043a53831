package settings

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/rest"
)

// From is the kind of place that a value came from.
type From string

// The kinds of places, the one that counts most first.
const (
	FromFlag        From = "flag"
	FromEnvironment From = "environment"
	FromFile        From = "file"
	FromDefault     From = "default"
)

// Source is where a value came from.
type Source struct {
	From From
	Name string // the flag with its dashes, the variable, or the file's path; "" of a default
	Line int    // in the file, from 1
}

// String returns "flag --craton-url", "environment CRATON_URL", "FILE:LINE" or "default".
func (s Source) String() string {
	switch s.From {
	case FromFile:
		return fmt.Sprintf("%s:%d", s.Name, s.Line)
	case FromDefault:
		return string(s.From)
	}
	return string(s.From) + " " + s.Name
}

// Sections returns all sections that there are, in the order in which people should see them.
func Sections() []Section { return all() }

// Entry is a setting with its value.
type Entry struct {
	*Setting
	Key    string // what Values knows it by, such as "inventory.vars"
	Source Source
	data   any
}

// Format prints an entry as its key and text, so that no form of printing shows a secret.
func (e Entry) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%s=%s", e.Key, e.Text()) }

// Entries returns all settings that were loaded, in the order of their definition.
func (v *Values) Entries() []Entry {
	var entries []Entry
	for _, section := range all() {
		for i := range section.Settings {
			key := section.Key(section.Settings[i].Name)
			if got, ok := v.values[key]; ok {
				entries = append(entries, Entry{got.setting, key, got.source, got.data})
			}
		}
	}
	return entries
}

// mask is shown in place of a secret, whatever its length.
const mask = rest.Concealed

// Variables returns entries for those of the variables that are set in the environment that the settings are from: what
// counts without being a setting, such as OS_BAREMETAL_ENDPOINT_OVERRIDE.
func (v *Values) Variables(names ...string) []Entry {
	var entries []Entry
	for _, name := range names {
		if text := v.Variable(name); text != "" {
			key := strings.ToLower(name)
			entries = append(entries, Entry{&Setting{Name: key, Env: name, URL: strings.Contains(key, "_endpoint")}, key, Source{From: FromEnvironment, Name: name}, text})
		}
	}
	return entries
}

// Value returns the value for programs: a string, bool, number, or list of strings; a duration is its seconds. A secret
// is stars, or "" if it is not set; a URL has no user and password.
func (e Entry) Value() any {
	switch data := e.data.(type) {
	case string:
		if e.Secret && data != "" {
			return mask
		}
		if e.URL {
			return rest.Bare(data)
		}
		return data
	case time.Duration:
		return data.Seconds()
	case []string:
		return append([]string{}, data...) // JSON has no nil lists
	default:
		return data
	}
}

// Text returns the value for people, as a flag or the environment would have it.
func (e Entry) Text() string {
	switch value := e.Value().(type) {
	case []string:
		return strings.Join(value, ",")
	default:
		return fmt.Sprint(value)
	}
}

// Unknown is an environment variable that looks like one of ours and is none.
type Unknown struct {
	Name    string
	Nearest string // what was probably meant; "" if nothing is near
}

// UnknownVariables finds, among the entries of an environment, the variables that begin with CRATON_, or as those of an
// inventory do, and that no setting reads.
func UnknownVariables(environ []string) []Unknown {
	return unknownVariables(environ, slices.Concat([]string{"CRATON_"}, Inventory.prefixes(), IotronicInventory.prefixes()))
}

// CheckVariables returns an error if a variable, among the entries of an environment, has the name of a setting of a
// section but for what is behind its beginning: a misspelt filter would let every host through. One that is empty
// counts as unset.
func (s *Section) CheckVariables(environ []string) error {
	set := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool { return strings.HasSuffix(entry, "=") })
	unknown := unknownVariables(set, s.prefixes())
	if len(unknown) == 0 {
		return nil
	}
	name := unknown[0].Name
	var known, ends []string
	for i := range s.Settings {
		known = append(known, s.Settings[i].Env)
		ends = append(ends, strings.TrimPrefix(s.Settings[i].Env, s.prefixes()[0]))
	}
	end := name
	for _, prefix := range s.prefixes() {
		end = strings.TrimPrefix(end, prefix)
	}
	if near := nearest.Word(end, ends); near != "" {
		return advice.With(fmt.Errorf("environment %s is set, but there is no such setting", name), fmt.Sprintf("did you mean %s?", s.prefixes()[0]+near))
	}
	return advice.With(fmt.Errorf("environment %s is set, but there is no such setting", name), fmt.Sprintf("unset it, or set one of %s", strings.Join(known, ", ")))
}

// prefixes returns what the variables of a section begin with, and what those who leave out CRATON_ take for it, where
// nobody else has such names.
func (s *Section) prefixes() []string {
	own := "CRATON_" + strings.ToUpper(s.Name) + "_"
	if short := strings.TrimPrefix(own, "CRATON_"); strings.HasPrefix(short, "IOTRONIC_") {
		return []string{own, short}
	}
	return []string{own}
}

func unknownVariables(environ, prefixes []string) []Unknown {
	known := []string{ConfigEnv}
	for _, section := range all() {
		for _, s := range section.Settings {
			known = append(append(known, s.Env), s.Also...)
		}
	}
	var unknown []Unknown
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		begins := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		if !slices.ContainsFunc(prefixes, begins) || slices.Contains(known, name) {
			continue
		}
		near := nearest.Word(name, known)
		if whole := "CRATON_" + name; !begins("CRATON_") { // IOTRONIC_INVENTORY_FILTERS
			near = nearest.Word(whole, known)
		}
		unknown = append(unknown, Unknown{name, near})
	}
	slices.SortFunc(unknown, func(a, b Unknown) int { return strings.Compare(a.Name, b.Name) })
	return unknown
}

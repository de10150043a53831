package ansible

import "encoding/json"

// Type is the type of an option, by the name that Ansible's documentation uses.
// The zero Type means [Str], as in Ansible.
type Type string

// The types of options. The package comment describes what each accepts.
const (
	Str     Type = "str"     // text; numbers, booleans, lists and dicts are converted to text
	Int     Type = "int"     // an integer of any size
	Bool    Type = "bool"    // yes/no, on/off, true/false, 1/0, y/n, t/f in any case
	Float   Type = "float"   // a finite number
	List    Type = "list"    // a list; a string is split at commas
	Dict    Type = "dict"    // a dict; JSON text, a Python literal or k=v,k=v
	Path    Type = "path"    // text in which ~, ~user, $NAME and ${NAME} are expanded
	Raw     Type = "raw"     // the value as received, numbers exact
	JSONArg Type = "jsonarg" // JSON text; a list or dict is written as JSON
	Bytes   Type = "bytes"   // a number of bytes: 1024, "10M", "1.5 GB"
	Bits    Type = "bits"    // a number of bits: 1024, "10Mb"
)

// A Spec describes everything about one module except its code: its options and the rules between them, what it
// returns, and its documentation. Argument validation ([Run]), the documentation sidecar ([Spec.Sidecar]) and
// meta/runtime.yml ([Runtime]) are all derived from it. Texts may use Ansible's markup: C(code), I(option), O(option),
// V(value), B(bold), U(url).
type Spec struct {
	Name         string   // the module's name without a namespace: craton_host
	Short        string   // one line, no full stop
	Description  []string // paragraphs
	VersionAdded string   // the collection's version that introduced the module
	Author       []string // "Name (@github)" each
	Requirements []string
	Notes        []string
	SeeAlso      []SeeAlso

	// Options in the order in which they are checked. The documentation sorts them.
	Options []Option
	// Rules between the options, including those of Fragments.
	Rules
	// Fragments are sets of options that several modules share. Their options and rules belong to the module; their
	// documentation is in the doc fragment and is referenced.
	Fragments []*Fragment

	// SupportsCheckMode means that Run changes nothing if Task.CheckMode is set. Without it, a task in check mode is
	// skipped and Run is not called.
	SupportsCheckMode bool
	// SupportsDiff documents that the module sets Result.Diff.
	SupportsDiff bool

	// Examples is YAML: a list of tasks.
	Examples string
	// Returns documents the fields of Result, each under its top-level name.
	Returns []Return
}

// An Option is one parameter of a module, or of a dict parameter ([Option.Options]).
type Option struct {
	Name        string
	Description []string // sentences; required in documentation
	Type        Type
	Elements    Type // of a List; without it elements are not checked
	Required    bool
	Default     any // nil: none. Anything that can be encoded as JSON; checked like a user's value
	Choices     []any
	Aliases     []string
	// NoLog keeps the value out of the module's messages. See "Secrets" in the package comment.
	NoLog bool
	// NoLogTexts returns the texts within the value of a NoLog option that are secrets; nil: all are. The invocation
	// shows nothing of the value either way. It is for values that consist mostly of ordinary words, which would
	// otherwise be masked in every message. other returns the text of another option, "" if it has none.
	NoLogTexts func(value json.RawMessage, other func(option string) string) []string
	// NoLogKeys are words for a Dict with arbitrary keys: values are treated like those of NoLog if their key contains
	// one of the words, in any case and at any depth: "password" matches ipmi_password.
	NoLogKeys []string
	// Mask returns what the invocation shows of a text; nil: all of it. It is for texts that may contain a secret, such
	// as URLs.
	Mask func(text string) string
	// Env names environment variables from which the value is taken if the task has none. The first that is set is
	// used, even if it is empty.
	Env []string

	// Options are those of a Dict, or of each dict of a List with Elements Dict.
	Options []Option
	// Rules between Options.
	Rules
	// ApplyDefaults sets the defaults of its Options in a Dict that the task leaves out.
	ApplyDefaults bool

	VersionAdded      string
	Deprecated        *Deprecated
	DeprecatedAliases []DeprecatedAlias // names that are also in Aliases
}

// Rules are conditions on which options may or must be given together. An
// option that has a default counts as given, except for MutuallyExclusive.
type Rules struct {
	MutuallyExclusive [][]string // at most one of each group
	RequiredTogether  [][]string // all of each group or none
	RequiredOneOf     [][]string // at least one of each group
	RequiredIf        []RequiredIf
	RequiredBy        map[string][]string // an option -> the others that it needs
}

// RequiredIf requires options if another one has a certain value.
type RequiredIf struct {
	Option   string   // when this option
	Value    any      // has this value,
	Requires []string // then these are required:
	Any      bool     // at least one of them, otherwise all
}

// Deprecated announces the removal of an option. Exactly one of Version and Date is set.
type Deprecated struct {
	Version      string // the collection's version that removes it
	Date         string // or the day after which it is removed, YYYY-MM-DD
	Collection   string // namespace.name of the collection
	Why          string // for the documentation, a sentence: "Things float."
	Alternatives string // for the documentation, what to use instead: "I(size)"
}

// DeprecatedAlias announces the removal of one of an option's aliases.
type DeprecatedAlias struct {
	Name       string
	Version    string // as in Deprecated
	Date       string
	Collection string
}

// A Fragment is a set of options that several modules share, such as those for the connection, with its own
// documentation.
type Fragment struct {
	Name         string // as modules refer to it: namespace.collection.fragment
	Options      []Option
	Rules        Rules
	Notes        []string
	Requirements []string
}

// SeeAlso is a reference in the documentation: to a module, or to a page.
type SeeAlso struct {
	Module      string // full name of a module, or
	Name, Link  string // title and address of a page
	Description string // required for a page
}

// A Return documents a value that a module returns.
type Return struct {
	Name         string
	Description  []string
	Returned     string // when: "always", "success", "when state is present"
	Type         Type
	Elements     Type // of a List
	Sample       any
	Contains     []Return // keys of a Dict or of each dict of a List
	VersionAdded string
}

// AllOptions returns the options of the module and then those of its fragments, in the order in which they are checked.
func (s *Spec) AllOptions() []Option {
	all := append([]Option(nil), s.Options...)
	for _, f := range s.Fragments {
		all = append(all, f.Options...)
	}
	return all
}

// allRules returns the module's rules and then those of its fragments.
func (s *Spec) allRules() *Rules {
	all := s.Rules
	for _, f := range s.Fragments {
		r := f.Rules
		all.MutuallyExclusive = join(all.MutuallyExclusive, r.MutuallyExclusive)
		all.RequiredTogether = join(all.RequiredTogether, r.RequiredTogether)
		all.RequiredOneOf = join(all.RequiredOneOf, r.RequiredOneOf)
		all.RequiredIf = join(all.RequiredIf, r.RequiredIf)
		if len(r.RequiredBy) > 0 {
			by := make(map[string][]string)
			for _, m := range []map[string][]string{all.RequiredBy, r.RequiredBy} {
				for name, needs := range m {
					by[name] = join(by[name], needs)
				}
			}
			all.RequiredBy = by
		}
	}
	return &all
}

// join returns append that never writes into a's array.
func join[T any](a, b []T) []T {
	return append(a[:len(a):len(a)], b...)
}

// kind returns the option's type with the zero value resolved.
func (o *Option) kind() Type {
	if o.Type == "" {
		return Str
	}
	return o.Type
}

// nested reports whether the option's value is a dict, or a list of dicts, whose keys are options themselves.
func (o *Option) nested() bool {
	return len(o.Options) > 0 && (o.kind() == Dict || o.kind() == List && o.Elements == Dict)
}

// holdsSecrets reports whether the option or a nested one is NoLog.
func (o *Option) holdsSecrets() bool {
	if o.NoLog || len(o.NoLogKeys) > 0 {
		return true
	}
	for i := range o.Options {
		if o.Options[i].holdsSecrets() {
			return true
		}
	}
	return false
}

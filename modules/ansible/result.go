package ansible

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// A Result describes what a module has done. The zero Result is "ok, nothing changed".
type Result struct {
	Changed bool
	// Msg is a sentence for the user; most modules need none.
	Msg string
	// Diff shows what has changed, or would change. It is printed only if the task requests it; check [Task].Diff
	// before computing an expensive one.
	Diff []Diff
	// Facts become ansible_facts of the host, under names without the prefix ansible_ of Ansible's own facts.
	Facts Fields
	// Fields are the values that the module returns, by top-level name; anything that can be encoded as JSON. A nil
	// slice is written as null: use an empty one for a list that may be empty. See "Results" in the package comment for
	// reserved names.
	Fields Fields
}

// Fields are values of a result by name.
type Fields map[string]any

// Diff is one change in the form that Ansible displays. Before and After are texts, or anything that can be encoded as
// a JSON object, which Ansible shows as sorted, indented JSON.
type Diff struct {
	Before       any
	After        any
	BeforeHeader string // a title for Before, optional
	AfterHeader  string
}

// Failure is an error with fields for the task's result.
type Failure struct {
	Msg    string
	Fields Fields
	Err    error // the cause, for errors.Is; not displayed
}

func (f *Failure) Error() string { return f.Msg }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Fail returns an error that ends a task with msg and adds fields to its result.
func Fail(msg string, fields Fields) error { return &Failure{Msg: msg, Fields: fields} }

// Deprecation announces to users that something will be removed.
type Deprecation struct {
	Msg        string
	Version    string // the collection's version that removes it, or
	Date       string // the day after which it is removed, YYYY-MM-DD
	Collection string // namespace.name
}

// reserved are top-level names of a result that Ansible reserves, with the consequences of using them.
var reserved = func() map[string]string {
	const (
		runtime = "the runtime sets it"
		ansible = "Ansible gives it a meaning of its own"
		method  = "a template's result.%s is the method of that name"
	)
	names := map[string]string{
		"results": "Ansible takes it for the results of a loop; ansible-core 2.14 dies of it",
	}
	for _, name := range strings.Fields("changed failed msg diff invocation warnings deprecations exception ansible_facts validation_errors") {
		names[name] = runtime
	}
	for _, name := range strings.Fields(`skipped unreachable attempts retries item rc stdout stdout_lines stderr stderr_lines
		module_stdout module_stderr failed_when_result skip_reason censored until loop
		started finished results_file add_host add_group`) {
		names[name] = ansible
	}
	for _, name := range strings.Fields("clear copy fromkeys get items keys pop popitem setdefault update values") {
		names[name] = fmt.Sprintf(method, name)
	}
	return names
}()

// checkField refuses a top-level name that cannot be returned.
func checkField(name string) error {
	why, bad := reserved[name]
	switch {
	case bad:
	case name == "":
		why = "it is empty"
	case strings.HasPrefix(name, "ansible_"), strings.HasPrefix(name, "_ansible_"):
		why = "Ansible removes it; facts belong into Result.Facts"
	default:
		return nil
	}
	return fmt.Errorf("a module must not return %q: %s", name, why)
}

// encodeFields converts fields to JSON values. Fields that cannot be returned are left out and named in the error.
func encodeFields(into *dict, fields Fields) error {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	sort.Strings(names)
	var errs []error
	for _, name := range names {
		if err := checkField(name); err != nil {
			errs = append(errs, err)
			continue
		}
		value, err := fromGo(fields[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("the field %q cannot be written as JSON: %w", name, err))
			continue
		}
		into.set(name, value)
	}
	return errors.Join(errs...)
}

// encodeDiff converts diffs to the form that Ansible reads: one dict, or a list of them.
func encodeDiff(diffs []Diff) (any, error) {
	list := make([]any, 0, len(diffs))
	for _, diff := range diffs {
		d := newDict()
		for _, part := range []struct {
			name  string
			value any
		}{{"before", diff.Before}, {"after", diff.After}} {
			value, err := fromGo(part.value)
			if err != nil {
				return nil, fmt.Errorf("diff %s cannot be written as JSON: %w", part.name, err)
			}
			if value == nil {
				value = ""
			}
			d.set(part.name, value)
		}
		if diff.BeforeHeader != "" {
			d.set("before_header", diff.BeforeHeader)
		}
		if diff.AfterHeader != "" {
			d.set("after_header", diff.AfterHeader)
		}
		list = append(list, d)
	}
	if len(list) == 1 {
		return list[0], nil
	}
	return list, nil
}

package ansible

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// A Module is a Spec and the function that does its work.
type Module struct {
	Spec *Spec
	// Run does the work of one task. Its arguments have been checked. An error fails the task with the error's text as
	// msg; a Result in addition to an error describes what was done before. ctx is cancelled when the process is asked
	// to stop; Run then has a few seconds to return. [Typed] converts a function that takes its arguments as a struct.
	Run func(ctx context.Context, task *Task) (*Result, error)
}

// Typed returns the Run of a Module from a function that takes the arguments as a struct. [Params.Decode] describes how
// options and fields correspond.
func Typed[Args any](run func(ctx context.Context, task *Task, args Args) (*Result, error)) func(context.Context, *Task) (*Result, error) {
	return func(ctx context.Context, task *Task) (*Result, error) {
		var args Args
		if err := task.Params.Decode(&args); err != nil {
			return nil, err
		}
		return run(ctx, task, args)
	}
}

// A Task is one run of a module. Its methods are safe for concurrent use.
type Task struct {
	// Name is the module's name as in the task: craton_host or craton.fleet.craton_host.
	Name string
	// CheckMode means that nothing may be changed, and the predicted result is returned.
	CheckMode bool
	// DiffMode requests Result.Diff.
	DiffMode bool
	// Verbosity is the number of -v on the command line.
	Verbosity int
	// Params are the arguments.
	Params Params

	secrets  *secrets
	internal internalArgs

	mu           sync.Mutex
	warnings     []string
	deprecations []Deprecation
}

// NewTask checks arguments against a spec as [Run] does and returns the task, for tests of a module's Run. args are
// those of a task: Go values that can be encoded as JSON. The environment is lookupEnv's, none if nil. The error for
// refused arguments is an [*ArgumentError].
func NewTask(spec *Spec, args map[string]any, lookupEnv func(string) (string, bool)) (*Task, error) {
	value, err := fromGo(args)
	if err != nil {
		return nil, fmt.Errorf("arguments of %s: %w", spec.Name, err)
	}
	d, ok := value.(*dict)
	if !ok {
		d = newDict()
	}
	if err := spec.Check(); err != nil {
		return nil, err
	}
	if lookupEnv == nil {
		lookupEnv = func(string) (string, bool) { return "", false }
	}
	task := &Task{Name: spec.Name, secrets: &secrets{}}
	return task, task.load(spec, d, lookupEnv)
}

// load removes Ansible's own keys from args, checks the rest, and sets Params.
func (t *Task) load(spec *Spec, args *dict, lookupEnv func(string) (string, bool)) error {
	t.Params = Params{options: spec.AllOptions(), values: args}
	internal, err := takeInternal(args)
	if err != nil {
		return err
	}
	t.mu.Lock()
	t.internal = internal
	t.mu.Unlock()
	if internal.name != "" {
		t.rename(internal.name)
	}
	t.CheckMode, t.DiffMode, t.Verbosity = internal.checkMode, internal.diff, internal.verbosity
	v := &validation{env: lookupEnv, secrets: t.secrets}
	err = v.validate(t.Name, t.Params.options, spec.allRules(), args, internal.ignoreUnknown)
	for _, w := range v.warnings {
		t.Warn(w)
	}
	for _, d := range v.deprecations {
		t.Deprecate(d)
	}
	return err
}

// rename sets the name under the lock: a process that is asked to stop may read it at any time. A directory of
// plugins/modules, as in craton.fleet.linux_amd64.craton_host, is left out.
func (t *Task) rename(name string) {
	if parts := strings.Split(name, "."); len(parts) > 3 {
		name = strings.Join([]string{parts[0], parts[1], parts[len(parts)-1]}, ".")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.Name = name
}

// identity returns the name and Ansible's own arguments.
func (t *Task) identity() (string, internalArgs) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.Name, t.internal
}

// Warn shows a warning to the user, once however often it is given.
func (t *Task) Warn(msg string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.warnings {
		if w == msg {
			return
		}
	}
	t.warnings = append(t.warnings, msg)
}

// Warnf is like Warn, with a format.
func (t *Task) Warnf(format string, args ...any) { t.Warn(fmt.Sprintf(format, args...)) }

// Warnings returns the warnings so far.
func (t *Task) Warnings() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.warnings...)
}

// Deprecate announces to the user that something will be removed.
func (t *Task) Deprecate(d Deprecation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, other := range t.deprecations {
		if other == d {
			return
		}
	}
	t.deprecations = append(t.deprecations, d)
}

// Deprecations returns the deprecations so far.
func (t *Task) Deprecations() []Deprecation {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]Deprecation(nil), t.deprecations...)
}

// Secret registers values that the module's own messages must not show, such as a token that a server has just issued.
// Values of NoLog options are registered already. Returned values are not masked: do not return secrets.
func (t *Task) Secret(values ...string) {
	for _, v := range values {
		t.secrets.add(v)
	}
}

// Mask returns a text from elsewhere, such as an error that a server stores with an object, with the secrets known so
// far masked as in msg.
func (t *Task) Mask(text string) string {
	if m := t.secrets.masker(nil); m != nil {
		return m.text(text)
	}
	return text
}

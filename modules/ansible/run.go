package ansible

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	rules "github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/python"
)

// stopGrace is how long a module may take to return after it was asked to stop. Ansible's async_wrapper and systemd
// wait longer before they kill.
const stopGrace = 3 * time.Second

// Run runs the complete process of a module: it reads the arguments from the file that args[1] names ("-" and
// "/dev/stdin" are stdin), checks them, runs the module that [Dispatch] finds with lookup, and writes the result to
// stdout. args are os.Args. The result is one JSON object on one line, whatever happens; Run returns the exit status, 1
// if the task has failed, else 0.
//
//	func main() { os.Exit(ansible.Run(os.Args, os.Stdin, os.Stdout, lookup)) }
//
// While it runs, os.Stdout is os.Stderr if stdout is os.Stdout, so that a stray print in a library does not corrupt the
// result.
func Run(args []string, stdin io.Reader, stdout io.Writer, lookup func(name string) (*Module, bool)) int {
	return (&Process{Args: args, Stdin: stdin, Stdout: stdout, Lookup: lookup}).Run(context.Background())
}

// A Process runs a module as [Run] does, for programs and tests that need more control.
type Process struct {
	Args   []string // os.Args
	Stdin  io.Reader
	Stdout io.Writer
	// Lookup finds a module by its name without namespace.
	Lookup func(name string) (*Module, bool)
	// LookupEnv returns the environment; os.LookupEnv if nil.
	LookupEnv func(name string) (string, bool)
	// Signals are the signals on which the module is asked to stop; SIGINT and SIGTERM of this process if nil.
	Signals <-chan os.Signal
}

// Run runs the process as [Run] does. When ctx is cancelled, the module is asked to stop.
func (p *Process) Run(ctx context.Context) int {
	if out, ok := p.Stdout.(*os.File); ok && out == os.Stdout {
		os.Stdout = os.Stderr
		defer func() { os.Stdout = out }()
	}
	signals := p.Signals
	if signals == nil {
		c := make(chan os.Signal, 2)
		signal.Notify(c, os.Interrupt, syscall.SIGTERM)
		defer signal.Stop(c)
		signals = c
	}

	task := &Task{Name: p.nameForErrors(), secrets: &secrets{}, internal: internalArgs{injectInvocation: true}}
	out := &outcome{task: task}
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(done)
		defer out.recover()
		p.work(ctx, task, out)
		out.returned = true
	}()

	stopped := ""
	select {
	case <-done:
	case s := <-signals:
		stopped = "signal " + s.String()
	case <-ctx.Done():
		stopped = context.Cause(ctx).Error()
	}
	if stopped != "" {
		cancel()
		select {
		case <-done:
			out.noteStop(stopped)
		case <-signals:
			out = abandoned(task, stopped)
		case <-time.After(stopGrace):
			out = abandoned(task, stopped)
		}
	}

	line, failed := out.encode()
	if _, err := p.Stdout.Write(line); err != nil {
		fmt.Fprintf(os.Stderr, "%s: cannot write the result: %v\n", p.nameForErrors(), err)
		return 1
	}
	if failed {
		return 1
	}
	return 0
}

func (p *Process) nameForErrors() string {
	if len(p.Args) > 0 && p.Args[0] != "" {
		return Name(p.Args[0])
	}
	return "module"
}

// work does everything between start and result. It sets out on the way, so that a panic finds what is known by then.
func (p *Process) work(ctx context.Context, task *Task, out *outcome) {
	args, err := p.readArgs()
	if err != nil {
		out.err = err
		return
	}
	argv0 := ""
	if len(p.Args) > 0 {
		argv0 = p.Args[0]
	}
	full, _ := args.values["_ansible_module_name"].(string)
	name, ok := Dispatch(argv0, full, func(name string) bool { m, ok := p.Lookup(name); return ok && m != nil })
	if !ok {
		takeInternal(args) //nolint:errcheck // the task fails anyway
		out.err = fmt.Errorf("this program has no module %q; it was called as %q", name, argv0)
		return
	}
	m, _ := p.Lookup(name)
	task.rename(name)
	if err := m.Spec.Check(); err != nil {
		out.err = fmt.Errorf("internal error: %w", err)
		return
	}
	env := p.LookupEnv
	if env == nil {
		env = os.LookupEnv
	}
	out.spec = m.Spec
	out.args = args
	if out.err = task.load(m.Spec, args, env); out.err != nil {
		return
	}
	if task.CheckMode && !m.Spec.SupportsCheckMode {
		out.skipped = true
		out.result = &Result{Msg: fmt.Sprintf("remote module (%s) does not support check mode", task.Name)}
		return
	}
	out.result, out.err = m.Run(ctx, task)
}

// wrapper is the only key of the object with the arguments of Python modules.
const wrapper = "ANSIBLE_MODULE_ARGS"

// readArgs reads the file with the arguments. An object whose only key is wrapper, the form of Python modules, is
// unwrapped.
func (p *Process) readArgs() (*dict, error) {
	if len(p.Args) < 2 {
		return nil, errors.New("there is no arguments file: Ansible runs a module as MODULE FILE, where FILE holds the arguments as a JSON object (- is standard input)")
	}
	file := p.Args[1]
	in := p.Stdin
	if file != "-" && file != "/dev/stdin" {
		f, err := os.Open(file)
		if err != nil {
			return nil, fmt.Errorf("cannot read the arguments file: %w", err)
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
	}
	data, err := readAll(in)
	if err != nil {
		return nil, fmt.Errorf("cannot read the arguments file %s: %w", file, err)
	}
	decoded, err := decodeJSON(data)
	if err != nil {
		if bad := asArgument(rules.CheckFinite(string(data))); bad != nil { // Ansible writes such numbers
			err = bad
		}
		return nil, fmt.Errorf("the arguments file %s is not JSON: %w", file, err)
	}
	if !rules.IsDecodable(string(data)) { // decoding has changed a text
		return nil, asArgument(rules.CheckJSON(string(data)))
	}
	args, ok := decoded.(*dict)
	if !ok {
		return nil, fmt.Errorf("the arguments file %s holds a %s; Ansible writes an object", file, python.Type(decoded))
	}
	if inner, ok := args.values[wrapper].(*dict); ok && len(args.keys) == 1 {
		args = inner
	}
	return args, nil
}

// asArgument returns which argument contains an invalid value, and what is wrong.
func asArgument(err error) error {
	if fault, ok := errors.AsType[*rules.Fault](err); ok {
		return fmt.Errorf("the argument %s %w", strings.TrimPrefix(fault.Path, wrapper+"."), fault.Err)
	}
	return err
}

// outcome is how a task has ended.
type outcome struct {
	task      *Task
	spec      *Spec // nil until the module is known
	args      *dict // likewise
	result    *Result
	err       error
	exception string // stack of a panic
	skipped   bool
	returned  bool
}

// recover handles a panic of the module; it is deferred around it.
func (o *outcome) recover() {
	if o.returned {
		return
	}
	switch r := recover().(type) {
	case nil: // runtime.Goexit
		o.err = errors.New("internal error: the module ended without a result")
	case *Failure:
		o.err = r
	default:
		o.err = fmt.Errorf("internal error: the module crashed: %v", r)
		o.exception = fmt.Sprintf("panic: %v\n\n%s", r, debug.Stack())
	}
}

// noteStop records that a module which has returned had been asked to stop. If it finished nevertheless, its result
// counts.
func (o *outcome) noteStop(by string) {
	if o.err != nil {
		err := o.err
		failure := &Failure{Msg: fmt.Sprintf("stopped by %s: %v", by, err), Err: err}
		if inner := (*Failure)(nil); errors.As(err, &inner) {
			failure.Fields = inner.Fields
		}
		o.err = failure
	}
}

// abandoned returns the outcome of a module that does not return. It shares nothing with the module except the task,
// whose methods lock.
func abandoned(task *Task, by string) *outcome {
	return &outcome{task: task, err: fmt.Errorf("stopped by %s before the module had finished: what it was doing may be done in part", by)}
}

// encode returns the line for stdout and whether the task has failed.
func (o *outcome) encode() (line []byte, failed bool) {
	defer func() { // a MarshalJSON of the module, for example, may panic
		if r := recover(); r != nil {
			d := newDict()
			d.set("changed", o.result != nil && o.result.Changed)
			d.set("exception", fmt.Sprintf("panic: %v\n\n%s", r, debug.Stack()))
			d.set("failed", true)
			d.set("msg", fmt.Sprintf("internal error: the result cannot be written: %v", r))
			line, failed = o.line(d), true
		}
	}()
	d := o.document()
	return o.line(d), d.has("failed")
}

// document returns the result's JSON, including secrets.
func (o *outcome) document() *dict {
	_, internal := o.task.identity()
	d := newDict()
	d.set("changed", o.result != nil && o.result.Changed)
	var problems []error
	if r := o.result; r != nil {
		if r.Msg != "" {
			d.set("msg", r.Msg)
		}
		problems = append(problems, encodeFields(d, r.Fields))
		if len(r.Facts) > 0 {
			facts, err := fromGo(r.Facts)
			if err != nil {
				problems = append(problems, fmt.Errorf("the facts cannot be written as JSON: %w", err))
			}
			d.set("ansible_facts", facts)
		}
		if len(r.Diff) > 0 && o.task.DiffMode {
			diff, err := encodeDiff(r.Diff)
			problems = append(problems, err)
			d.set("diff", diff)
		}
	}
	if o.skipped {
		d.set("skipped", true)
	}
	if o.err != nil {
		problems = append(problems, o.fail(d))
	}
	if err := errors.Join(problems...); err != nil {
		text := "internal error: " + err.Error()
		if o.err != nil {
			text = d.values["msg"].(string) + "\n" + text
		}
		d.set("failed", true)
		d.set("msg", text)
	}
	if o.exception != "" {
		d.set("exception", o.exception)
	}
	o.addWarnings(d)
	if o.args != nil && internal.injectInvocation && !internal.noLog {
		invocation := newDict()
		invocation.set("module_args", maskArgs(o.task.Params.options, o.args))
		d.set("invocation", invocation)
	}
	return d
}

// fail writes the error into the result.
func (o *outcome) fail(d *dict) error {
	d.set("failed", true)
	msg := o.err.Error()
	if msg == "" {
		msg = "the module failed without saying why"
	}
	d.set("msg", msg)
	var refused *ArgumentError
	if errors.As(o.err, &refused) && len(refused.Messages) > 1 {
		list := make([]any, len(refused.Messages))
		for i, m := range refused.Messages {
			list[i] = m
		}
		d.set("validation_errors", list)
	}
	var failure *Failure
	if errors.As(o.err, &failure) {
		return encodeFields(d, failure.Fields)
	}
	return nil
}

// addWarnings adds warnings and deprecations. Ansible shows them even if the task has no_log, so then only their number
// is added.
func (o *outcome) addWarnings(d *dict) {
	name, internal := o.task.identity()
	warnings, deprecations := o.task.Warnings(), o.task.Deprecations()
	if n := len(warnings) + len(deprecations); n > 0 && internal.noLog {
		warnings, deprecations = []string{fmt.Sprintf("%s: warnings hidden because of no_log: %d", name, n)}, nil
	}
	if len(warnings) > 0 {
		list := make([]any, len(warnings))
		for i, w := range warnings {
			list[i] = w
		}
		d.set("warnings", list)
	}
	if len(deprecations) > 0 {
		var list []any
		for _, dep := range deprecations {
			entry := newDict()
			entry.set("msg", dep.Msg)
			if dep.Date != "" {
				entry.set("date", dep.Date)
			} else if dep.Version != "" {
				entry.set("version", dep.Version)
			}
			if dep.Collection != "" {
				entry.set("collection_name", dep.Collection)
			}
			list = append(list, entry)
		}
		d.set("deprecations", list)
	}
}

// maskArgs returns a copy of arguments without the values of NoLog options. A value that should contain options, some
// of them NoLog, and could not be parsed is replaced completely.
func maskArgs(options []Option, args *dict) *dict {
	d := newDict()
	for i := range options {
		o := &options[i]
		value, ok := args.values[o.Name]
		if !ok {
			continue
		}
		switch {
		case value == nil:
		case o.NoLog:
			value = noLogValue
		case o.Mask != nil:
			if text, ok := value.(string); ok {
				value = o.Mask(text)
			}
		case len(o.NoLogKeys) > 0:
			value = maskKeys(value, o.NoLogKeys)
		case o.nested():
			value = maskNested(o, value)
		}
		d.set(o.Name, value)
	}
	return d
}

// maskKeys replaces the values of secret keys. A value that should be a dict and could not be parsed is replaced
// completely.
func maskKeys(value any, words []string) any {
	v, ok := value.(*dict)
	if !ok {
		return noLogValue
	}
	return maskUnder(v, words)
}

func maskUnder(value any, words []string) any {
	switch v := value.(type) {
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = maskUnder(e, words)
		}
		return list
	case *dict:
		d := newDict()
		for _, k := range v.keys {
			if e := v.values[k]; secretKey(k, words) && e != nil {
				d.set(k, noLogValue)
			} else {
				d.set(k, maskUnder(e, words))
			}
		}
		return d
	}
	return value
}

func maskNested(o *Option, value any) any {
	switch v := value.(type) {
	case *dict:
		return maskArgs(o.Options, v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = maskNested(o, e)
		}
		return list
	}
	if o.holdsSecrets() {
		return noLogValue
	}
	return value
}

// ownWords are the keys of a result with the module's own messages. All others contain returned data, which other tasks
// may store, and which is not masked: a mask would be written back.
var ownWords = []string{"msg", "warnings", "deprecations", "exception", "validation_errors", "invocation"}

// line masks the secrets in the module's own messages and writes the result, with sorted keys. At this point the module
// has done its work, so Ansible must be able to read the result, whatever data it contains.
func (o *outcome) line(d *dict) []byte {
	sorted := newDict()
	mask := o.task.secrets.masker(o.ownKeys())
	for _, k := range slices.Sorted(maps.Keys(d.values)) {
		value := d.values[k]
		switch {
		case mask == nil:
		case slices.Contains(ownWords, k):
			value = mask.value(value)
		case k == "diff":
			mask.headers(value)
		}
		sorted.set(k, readable(value, 1))
	}
	return append(rules.QuoteNumbers(appendJSON(nil, sorted)), '\n') // Ansible would read Infinity, or 0
}

// ownKeys returns the keys that come from code and not from data: those of the runtime and the options' names.
func (o *outcome) ownKeys() map[string]bool {
	keys := make(map[string]bool)
	for _, k := range []string{"module_args", "msg", "version", "date", "collection_name"} {
		keys[k] = true
	}
	if o.spec != nil {
		addOptionNames(keys, o.task.Params.options)
	}
	return keys
}

func addOptionNames(keys map[string]bool, options []Option) {
	for i := range options {
		for _, name := range options[i].names() {
			keys[name] = true
		}
		addOptionNames(keys, options[i].Options)
	}
}

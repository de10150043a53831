package iotronic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/value"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// resource describes what a module writes: the kind of objects, how they are identified, and what a task can set. The
// modules of all resources except nodes consist of this alone.
type resource struct {
	kind   *kind
	by     string // the field, besides the UUID, that identifies an object; "" for none
	fields []field
	store  store
	// guard is nil, or refuses what the API is known to refuse; it can send requests to find out.
	guard func(ctx context.Context, s *service, p *plan) error
	// wait is nil, or waits until a created object is ready.
	wait           func(ctx context.Context, s *service, o api.Object, timeout time.Duration) (api.Object, error)
	timeoutSeconds int                    // default timeout in seconds
	failed         func(api.Object) error // nil, or the error of an object that can never be ready
	outcome        func(*want, *plan)     // nil, or predicts further fields of a new object

	creates   string // the first sentence of the Spec: "Creates, changes and removes ports."
	identity  string // how an object is found
	examples  string
	moreNotes []string
}

// nodes describes what iotronic_node writes.
var nodes = &resource{kind: node, by: keyName, fields: nodeFields}

// resources are written by other modules.
var resources = []*resource{ports, chassisResource, allocationResource}

// moduleName returns the name of the resource's module.
func (r *resource) moduleName() string { return "iotronic_" + r.kind.name }

// since returns the version of Ironic's API that introduced a field.
func (r *resource) since(f *field) api.Version { return api.Since(r.kind.plural, f.sent()) }

// store reads and writes the objects of a resource.
type store interface {
	get(ctx context.Context, c *api.Client, id string) (api.Object, error)
	create(ctx context.Context, c *api.Client, o api.Object) (api.Object, error)
	update(ctx context.Context, c *api.Client, id string, changes api.Changes) (api.Object, error)
	remove(ctx context.Context, c *api.Client, id string) error
}

// collection is a collection of the client that can be read and written.
type collection[T, C any] interface {
	Get(ctx context.Context, id string, fields ...string) (*T, error)
	Create(ctx context.Context, object C) (*T, error)
	Update(ctx context.Context, id string, changes api.Changes) (*T, error)
	Delete(ctx context.Context, id string) error
}

// stored implements store with a collection of the client.
type stored[T, C any] struct {
	of     func(*api.Client) collection[T, C]
	made   func(api.Object) C
	object func(*T) api.Object
}

func (s stored[T, C]) fields(o *T, err error) (api.Object, error) {
	if err != nil {
		return nil, err
	}
	return s.object(o), nil
}

func (s stored[T, C]) get(ctx context.Context, c *api.Client, id string) (api.Object, error) {
	return s.fields(s.of(c).Get(ctx, id))
}

func (s stored[T, C]) create(ctx context.Context, c *api.Client, o api.Object) (api.Object, error) {
	return s.fields(s.of(c).Create(ctx, s.made(o)))
}

func (s stored[T, C]) update(ctx context.Context, c *api.Client, id string, changes api.Changes) (api.Object, error) {
	return s.fields(s.of(c).Update(ctx, id, changes))
}

func (s stored[T, C]) remove(ctx context.Context, c *api.Client, id string) error {
	return s.of(c).Delete(ctx, id)
}

// called returns the name or UUID by which a task identifies an object.
func (w *want) called() string {
	if w.of == nodes {
		return w.name
	}
	return api.Object(w.values).Text(w.of.by)
}

// spec returns the Spec of iotronic_KIND.
func (r *resource) spec() *ansible.Spec {
	s := &ansible.Spec{
		Name:  r.moduleName(),
		Short: fmt.Sprintf("Create, change and remove %s of Ironic", r.kind.plural),
		Description: []string{
			r.kind.doc.is,
			r.creates + " What the task does not mention stays as it is.",
			"If nothing differs, it sends no write requests. Check mode reports what the real run would do, including the errors that can be foreseen.",
		},
		SupportsCheckMode: true, SupportsDiff: true,
		Fragments: []*ansible.Fragment{connection()},
		Notes:     r.moreNotes,
		SeeAlso:   []ansible.SeeAlso{{Module: fullName(r.kind.infoName())}, {Module: fullName(nodeName)}},
		Examples:  r.examples,
		Options: []ansible.Option{
			{Name: optUUID, Aliases: []string{"id"}, Description: []string{r.identity,
				fmt.Sprintf("If it does not exist, the %s is created with this UUID.", r.kind.name)}},
			{Name: optState, Default: present, Choices: []any{present, absent}, Description: []string{
				fmt.Sprintf("V(present) creates or changes the %s as the task says, V(absent) removes it.", r.kind.name)}},
		},
		Returns: []ansible.Return{{
			Name: r.kind.name, Type: ansible.Dict, Returned: "success", Contains: r.kind.writtenFields(),
			Description: []string{
				fmt.Sprintf("The %s as it is after the task, whether or not something changed, with the fields and values of the API. Links are left out.", r.kind.name),
				"In check mode, as it would be; values that only the server can set are null or missing. With O(state=absent), as it was, or an empty dict if it did not exist.",
			}}},
	}
	s.Options = append(s.Options, r.options()...)
	if r.wait != nil {
		s.Options = append(s.Options,
			ansible.Option{Name: optWait, Type: ansible.Bool, Default: true, Description: []string{
				fmt.Sprintf("Whether to wait until the %s is V(active). If V(false), the task does not check how it ends.", r.kind.name)}},
			ansible.Option{Name: optTimeout, Type: ansible.Int, Default: r.timeoutSeconds, Description: []string{"How many seconds to wait. V(0) waits without limit."}})
	}
	if r.by != "" {
		s.Rules.RequiredOneOf = [][]string{{r.by, optUUID}}
	}
	return s
}

// run runs the module iotronic_KIND.
func (r *resource) run(ctx context.Context, task *ansible.Task) (*ansible.Result, error) {
	p := task.Params
	if p.Has(optUUID) && !value.IsUUID(p.String(optUUID)) {
		return nil, invalidUUIDError(p.String(optUUID), r.kind.name, r.by)
	}
	w := r.newWant(p.String(optUUID), p.String(optState) == present)
	if err := w.read(p); err != nil {
		return nil, err
	}
	if r.wait != nil {
		if w.wait, w.timeout = p.Bool(optWait), waitTimeout(p.Int(optTimeout)); w.timeout < 0 {
			return nil, errNoTime
		}
	}
	if w.uuid == "" && w.called() == "" {
		return nil, fmt.Errorf("%s is empty; set it, or uuid", r.by)
	}
	s, err := open(ctx, task, r.kind.plural)
	if err != nil {
		return nil, err
	}
	defer s.client.CloseIdleConnections()
	if err := s.resolveReferences(ctx, w, p); err != nil {
		return nil, err
	}
	result, err := r.reconcile(ctx, s, w, task.CheckMode)
	for range overtakings {
		if _, moved := errors.AsType[*overtaken](err); !moved {
			break
		}
		result, err = r.reconcile(ctx, s, w, task.CheckMode)
	}
	return result, err
}

// newWant returns a want without fields.
func (r *resource) newWant(uuid string, present bool) *want {
	return &want{
		of: r, present: present, uuid: value.CanonicalUUID(uuid), wait: true, timeout: lockTime,
		values: map[string]json.RawMessage{}, dicts: map[string]wantDict{},
	}
}

// lockTime is how long a task waits while another request locks the node of its object.
const lockTime = time.Minute

// resolveReferences finds the objects that fields refer to, and determines the API version.
func (s *service) resolveReferences(ctx context.Context, w *want, p ansible.Params) (err error) {
	if w.spoken, err = s.client.Version(ctx); err != nil {
		return err
	}
	for i := range w.of.fields {
		f := &w.of.fields[i]
		if f.resolve == nil || !w.present || !p.Has(f.option) {
			continue
		}
		var words []string
		if f.form == formList {
			words = p.Strings(f.option)
		} else if words = []string{p.String(f.option)}; words[0] == "" {
			continue
		}
		uuids := make([]string, len(words))
		for i, word := range words {
			if w.spoken.Compare(w.of.since(f)) < 0 { // refused below
				uuids[i] = word
			} else if uuids[i], err = f.resolve(ctx, s, word); err != nil {
				return fmt.Errorf("%s: %w", f.option, err)
			}
		}
		if f.form == formList {
			w.values[f.option] = raw(uuids)
		} else {
			w.values[f.option] = raw(uuids[0])
		}
	}
	return nil
}

// reconcile reads, plans and applies once.
func (r *resource) reconcile(ctx context.Context, s *service, w *want, check bool) (*ansible.Result, error) {
	id := w.uuid
	if id == "" {
		id = w.called()
	}
	have, err := r.store.get(ctx, s.client, id)
	if err != nil && !api.IsNotFound(err) {
		return nil, err
	}
	p, err := r.plan(ctx, s, w, have)
	if err != nil {
		return nil, err
	}
	result, o := p.result(), have
	if check {
		return result, nil
	}
	if p.changed() {
		if o, err = p.apply(ctx, s, w.timeout); err != nil {
			return nil, err
		}
	}
	if p.remove || o == nil {
		return result, nil
	}
	if r.wait != nil && w.wait {
		o, err = r.wait(ctx, s, o, w.timeout)
	}
	result.Fields[r.kind.name] = cleaned(o)
	return result, err
}

// plan compares, and refuses what the API is known to refuse.
func (r *resource) plan(ctx context.Context, s *service, w *want, have api.Object) (*plan, error) {
	p := newPlan(w, have)
	switch {
	case !w.present:
		p.remove = have != nil
	case have == nil:
		if err := p.planCreate(w, s.dialect); err != nil {
			return nil, err
		}
		if r.outcome != nil {
			r.outcome(w, p)
		}
	default:
		if err := p.planChange(w, s.dialect); err != nil {
			return nil, err
		}
	}
	if have != nil && w.present && r.failed != nil {
		if err := r.failed(have); err != nil {
			return nil, err
		}
	}
	if !p.changed() {
		return p, nil
	}
	if !p.remove {
		if err := s.hasFields(ctx, p); err != nil {
			return nil, err
		}
	}
	if r.guard != nil {
		if err := r.guard(ctx, s, p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// apply applies the plan of an object other than a node, and returns the resulting object.
func (p *plan) apply(ctx context.Context, s *service, wait time.Duration) (o api.Object, err error) {
	store, uuid := p.of.store, p.before.Text(keyUUID)
	err = retryWhileLocked(ctx, s.again && wait > 0, time.Now().Add(wait), func(err error) error {
		return fmt.Errorf("%w; its node is still locked after %g seconds", err, wait.Seconds())
	}, func() (err error) {
		switch {
		case p.remove:
			err = store.remove(ctx, s.client, uuid)
		case p.create != nil:
			o, err = store.create(ctx, s.client, p.create)
		default:
			o, err = store.update(ctx, s.client, uuid, p.update)
		}
		return err
	})
	switch {
	case p.remove && api.IsNotFound(err): // somebody else deleted it first
		return nil, nil
	case p.create != nil && api.IsConflict(err) && !api.IsLocked(err), p.create == nil && api.IsNotFound(err),
		strings.Contains(refusal(err), "can't remove a non-existent object"):
		return nil, &overtaken{err}
	}
	return o, err
}

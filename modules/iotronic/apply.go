package iotronic

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/configdrive"
	"github.com/craton-fleet/craton/internal/retry"
	api "github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/modules/ansible"
)

// runNode runs the module iotronic_node: it reads the current state, plans, and applies the plan unless it runs in
// check mode.
func runNode(ctx context.Context, task *ansible.Task) (*ansible.Result, error) {
	w, err := readWant(task.Params)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, task, node.plural)
	if err != nil {
		return nil, err
	}
	defer s.client.CloseIdleConnections()
	for _, secret := range w.secrets() {
		task.Secret(secret)
	}
	if err := w.fits(ctx, s, task.Params); err != nil {
		return nil, err
	}
	if err := s.resolveReferences(ctx, w, task.Params); err != nil {
		return nil, err
	}
	if task.Params.Has(optConfigDrive) && w.present {
		if w.configDrive, err = configdrive.Read(ctx, task.Params.String(optConfigDrive)); err != nil {
			return nil, fmt.Errorf("%s: %w", optConfigDrive, err)
		}
		for _, secret := range driveSecrets(w.configDrive, task.Params.String) { // including those in a file
			task.Secret(secret)
		}
	}
	return (&job{service: s, w: w, ends: time.Now().Add(w.timeout), asked: map[string]bool{}}).run(ctx, task)
}

// job is one task, which may be planned several times.
type job struct {
	*service
	w     *want
	ends  time.Time       // when waiting ends
	asked map[string]bool // provisioning steps that have been requested
}

// run plans and applies. It starts again if somebody else, such as the same task on another host, has changed the node
// meanwhile: what counts is the current state.
func (j *job) run(ctx context.Context, task *ansible.Task) (*ansible.Result, error) {
	result, err := j.reconcile(ctx, task)
	wrote, conflicted := result != nil && result.Changed, false // in the previous attempt
	for range overtakings {
		_, moved := errors.AsType[*overtaken](err)
		if !moved && !j.vanished(ctx, result, err) {
			if conflicted || wrote || !api.IsConflict(err) || api.IsLocked(err) {
				break
			}
			conflicted = true // the client has already retried for some time
		}
		before := result
		result, err = j.reconcile(ctx, task)
		wrote = result != nil && result.Changed
		switch {
		case result == nil:
			result = before
		case before != nil && before.Changed:
			result.Changed = true
			result.Diff[0].Before, result.Diff[0].BeforeHeader = before.Diff[0].Before, before.Diff[0].BeforeHeader
			result.Diff = append(result.Diff, before.Diff[1:]...)
		}
	}
	return result, err
}

// vanished reports, after a not-found error, whether the node that a result shows is gone: the error may also be about
// a missing conductor.
func (j *job) vanished(ctx context.Context, result *ansible.Result, err error) bool {
	if !api.IsNotFound(err) || result == nil {
		return false
	}
	o, _ := result.Fields[node.name].(api.Object)
	return j.gone(ctx, o.Text(keyUUID))
}

func (s *service) gone(ctx context.Context, uuid string) bool {
	if uuid == "" {
		return false
	}
	_, err := s.client.Nodes.Get(ctx, uuid, keyUUID)
	return api.IsNotFound(err)
}

// overtakings is the maximum number of new attempts after somebody else has changed the node.
const overtakings = 20

// overtaken is the error if somebody else has changed the state of the node meanwhile.
type overtaken struct{ error }

func (e *overtaken) Unwrap() error { return e.error }

// reconcile reads, plans and applies once, and waits no longer than the job may.
func (j *job) reconcile(ctx context.Context, task *ansible.Task) (*ansible.Result, error) {
	w := j.w
	have, err := j.read(ctx, w)
	if err != nil {
		return nil, err
	}
	if called := have.Text(keyName); !w.present && have != nil && w.uuid != "" && w.name != "" && called != w.name {
		return nil, fmt.Errorf("the node %s is called %q, not %q; leave one of the two out", w.uuid, called, w.name)
	}
	p, err := makePlan(w, have, j.dialect)
	if err == nil {
		err = j.planManagement(ctx, w, p)
	}
	if err == nil {
		err = j.planPorts(ctx, w, p)
	}
	if err != nil {
		return nil, err
	}
	if err := j.verify(ctx, p); err != nil {
		return nil, err
	}
	result := p.result()
	result.Fields[node.name] = j.shown(task, result.Fields[node.name].(api.Object))
	for i := range result.Diff {
		d := &result.Diff[i]
		d.Before, d.After = w.conceal(d.Before.(api.Object)), w.conceal(d.After.(api.Object))
	}
	if w.ports != nil && w.present {
		result.Fields[optPorts] = p.shownPorts()
	}
	if task.CheckMode || !p.changed() && p.settle == "" && p.powering == "" {
		return result, nil
	}
	a := &applier{job: j, p: p, node: p.before}
	a.at, a.moving = settled(p.before)
	err = a.apply(ctx)
	result.Changed = a.wrote
	result.Fields[node.name] = j.shown(task, a.node)
	if w.ports != nil && w.present {
		result.Fields[optPorts] = p.shownPorts()
	}
	return result, err
}

// shown returns a node for the result. Its last error is masked, because it may repeat what the task has sent.
func (j *job) shown(task *ansible.Task, o api.Object) api.Object {
	o = j.w.conceal(cleaned(o))
	if text := o.Text(keyError); text != "" {
		o[keyError] = raw(task.Mask(text))
	}
	return o
}

// read returns the node; nil if it does not exist.
func (s *service) read(ctx context.Context, w *want) (api.Object, error) {
	id := w.uuid
	if id == "" {
		id = w.name
	}
	n, err := s.client.Nodes.Get(ctx, id)
	if api.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return n.Fields, nil
}

// applier applies a plan.
type applier struct {
	*job
	p     *plan
	node  api.Object // as last read
	stale bool       // it has changed since it was read
	wrote bool       // something was changed, even if not everything

	at      string // the provision state of the node, or its target if the plan has set it in motion
	moving  bool
	resumed bool // maintenance has ended
}

// apply applies the plan. If it fails, node and wrote describe what was done before the error.
func (a *applier) apply(ctx context.Context) error {
	if a.p.remove {
		if err := a.settle(ctx); err != nil {
			return err
		}
		return a.remove(ctx)
	}
	var err error
	for _, do := range []func(context.Context) error{
		a.create,
		a.endMaintenanceEarly,
		a.settle,
		func(ctx context.Context) error { return a.startMaintenance(ctx, false) }, // maintenance allows more changes
		func(ctx context.Context) error { return a.update(ctx, a.p.update) },
		func(ctx context.Context) error { return a.writePorts(ctx, false) },
		func(ctx context.Context) error { return a.applyManagement(ctx, false) },
		a.endMaintenance,
		a.provision,
		func(ctx context.Context) error { return a.startMaintenance(ctx, true) },
		func(ctx context.Context) error { return a.writePorts(ctx, true) },
		func(ctx context.Context) error { return a.update(ctx, a.p.late) },
		a.setPower,
		func(ctx context.Context) error { return a.applyManagement(ctx, true) },
	} {
		if err = do(ctx); err != nil {
			break
		}
	}
	if a.stale {
		n, readErr := a.client.Nodes.Get(ctx, a.id())
		if readErr == nil {
			a.node = n.Fields
		}
		if err == nil {
			err = readErr
		}
	}
	return err
}

func (a *applier) id() string { return a.node.Text(keyUUID) }

// settle waits for a transition in progress.
func (a *applier) settle(ctx context.Context) error {
	if a.p.settle == "" {
		return nil
	}
	a.stale = true
	err := a.waitFor(ctx, func(ctx context.Context) error { return a.client.Nodes.WaitProvision(ctx, a.id(), a.p.settle) })
	a.moving = err != nil
	failed, ok := errors.AsType[*api.StateTransitionFailedError](err)
	tearsDown := len(a.p.steps) > 0 && a.p.steps[0].verb == api.ProvisionDeleted
	switch {
	case movedElsewhere(err):
		// The teardown has happened, whoever requested it; what is deployed now is something else.
		if a.p.settle == available {
			a.asked[a.id()+api.ProvisionDeleted] = true
		}
		return &overtaken{err}
	case ok && tearsDown && slices.Contains(deployed, failed.Actual): // a failed deployment can be torn down too
		return &overtaken{err}
	}
	return err
}

// movedElsewhere reports whether a wait ended because somebody else has moved the node to another state: a failure
// would have left an error.
func movedElsewhere(err error) bool {
	failed, ok := errors.AsType[*api.StateTransitionFailedError](err)
	return ok && failed.Reason == "" && !api.IsFailedState(failed.Actual)
}

func (a *applier) remove(ctx context.Context) error {
	if err := a.provision(ctx); err != nil {
		return err
	}
	err := a.retryWhileLocked(ctx, func() error { return a.client.Nodes.Delete(ctx, a.id()) })
	if err == nil {
		a.wrote = true
	}
	if api.IsNotFound(err) { // somebody else deleted it first
		return nil
	}
	if api.StatusOf(err) == http.StatusInternalServerError && a.gone(ctx, a.id()) { // Ironic's response if two clients delete it at the same time
		return nil
	}
	return err
}

func (a *applier) create(ctx context.Context) error {
	if a.p.create == nil {
		return nil
	}
	n, err := a.client.Nodes.Create(ctx, api.NodeCreate{More: a.p.create})
	if err == nil {
		a.node, a.wrote = n.Fields, true
		a.at, a.moving = settled(a.node)
	}
	return err
}

// startMaintenance starts maintenance, or changes its reason, once a node in transition has reached its target:
// maintenance would make Ironic pause or abort the transition.
func (a *applier) startMaintenance(ctx context.Context, later bool) error {
	if !a.p.maintenance || a.p.suspendLater != later {
		return nil
	}
	err := a.do(ctx, func() error { return a.client.Nodes.SetMaintenance(ctx, a.id(), a.p.reason) })
	return a.checkOvertaken(ctx, keyMaintenance, err)
}

// endMaintenanceEarly ends the maintenance of a node in transition, which could not reach its target otherwise.
func (a *applier) endMaintenanceEarly(ctx context.Context) error {
	if a.p.settle == "" {
		return nil
	}
	return a.endMaintenance(ctx)
}

// endMaintenance ends maintenance, unless it has already ended.
func (a *applier) endMaintenance(ctx context.Context) error {
	if !a.p.resume || a.resumed {
		return nil
	}
	err := a.do(ctx, func() error { return a.client.Nodes.ClearMaintenance(ctx, a.id()) })
	a.resumed = err == nil
	return a.checkOvertaken(ctx, keyMaintenance, err)
}

// update sends changed fields.
func (a *applier) update(ctx context.Context, changes api.Changes) error {
	if len(changes) == 0 {
		return nil
	}
	_, owned := changes[keyOwner]
	if _, linked := changes[keyParent]; owned && linked { // Ironic compares the parent's owner with the previous owner of the node
		if err := a.update(ctx, api.Changes{keyOwner: changes[keyOwner]}); err != nil {
			return err
		}
		changes = maps.Clone(changes)
		delete(changes, keyOwner)
	}
	err := a.retryWhileLocked(ctx, func() error {
		n, err := a.client.Nodes.Update(ctx, a.id(), changes)
		if err == nil {
			a.node, a.wrote = n.Fields, true
			a.stale = a.stale || !isNone(n.Fields["reservation"]) // a reservation by this change does not count
		}
		return err
	})
	if strings.Contains(refusal(err), "can't remove a non-existent object") {
		return &overtaken{err} // somebody else has removed a key that existed when the node was read
	}
	return a.checkOvertaken(ctx, "", err)
}

// do sends a change whose response does not contain the node.
func (a *applier) do(ctx context.Context, do func() error) error {
	err := a.retryWhileLocked(ctx, do)
	if err == nil {
		a.wrote, a.stale = true, true
	}
	return err
}

// retryWhileLocked repeats a change as long as another operation locks the node and the task may wait.
func (a *applier) retryWhileLocked(ctx context.Context, do func() error) error {
	return retryWhileLocked(ctx, a.w.wait && a.again, a.ends, func(err error) error {
		return fmt.Errorf("%w; the node %s is still locked after %s", err, a.called(), a.waited())
	}, do)
}

// retryWhileLocked repeats a request while the node is locked, until the time ends; late returns the error for that.
func retryWhileLocked(ctx context.Context, wait bool, ends time.Time, late func(error) error, do func() error) error {
	const pause = time.Second // the client has already retried for longer than this
	var locked error
	err := retry.Every(pause).Do(ctx, func(int) (again bool, err error) {
		locked, err = nil, do()
		switch {
		case !wait || !api.IsLocked(err):
			return false, err
		case time.Now().Add(pause).After(ends):
			return false, late(err)
		}
		locked = err
		return true, err
	})
	if locked != nil { // the context has ended
		return locked
	}
	return err
}

func (a *applier) called() string { return called(a.node.Text(keyName), a.id()) }

// waited returns how long the task may wait.
func (a *applier) waited() string {
	return fmt.Sprintf("%g seconds (wait_timeout)", a.w.timeout.Seconds())
}

// requestedOnce are the steps that a task requests only once, however often it plans: a later deployment or teardown is
// somebody else's decision.
var requestedOnce = []string{api.ProvisionActive, api.ProvisionRebuild, api.ProvisionDeleted, api.ProvisionAdopt, api.ProvisionInspect, api.ProvisionClean, api.ProvisionService}

// provisionBy returns the request for a step.
func (w *want) provisionBy(verb string) api.Provision {
	p := api.Provision{Target: verb, More: w.steps.with(verb)}
	switch {
	case slices.Contains(deploying, verb) && w.configDrive != nil:
		p.ConfigDrive = w.configDrive
	case verb == api.ProvisionRescue:
		p.More = api.Values(map[string]any{optRescuePassword: w.rescue})
	}
	return p
}

// deploying are the verbs that write an image and accept a config drive.
var deploying = []string{api.ProvisionActive, api.ProvisionRebuild}

// provision moves the node through the steps. Without waiting, only the first one can be requested.
func (a *applier) provision(ctx context.Context) error {
	for i, step := range a.p.steps {
		if step.state == a.at && !slices.Contains(returning, step.verb) {
			continue
		}
		if a.asked[a.id()+step.verb] && slices.Contains(requestedOnce, step.verb) {
			return fmt.Errorf("%s: somebody else has moved the node %s to %q in the meantime; the task does not ask for %q a second time, so run it again if you still want that", optProvision, a.called(), a.at, step.verb)
		}
		if err := a.do(ctx, func() error { return a.client.Nodes.SetProvision(ctx, a.id(), a.w.provisionBy(step.verb)) }); err != nil {
			return a.checkOvertaken(ctx, optProvision, err)
		}
		a.asked[a.id()+step.verb] = true
		if !a.w.wait {
			return nil
		}
		err := a.waitFor(ctx, func(ctx context.Context) error { return a.client.Nodes.WaitProvision(ctx, a.id(), step.state) })
		a.at, a.moving = step.state, false
		failed, ok := errors.AsType[*api.StateTransitionFailedError](err)
		switch {
		case err == nil:
		case ok && step.verb == api.ProvisionDeleted && failed.Actual == manageable && (a.p.remove || i+1 < len(a.p.steps)):
			a.at = manageable // the state after the cleaning of a retired node
		case movedElsewhere(err):
			return &overtaken{fmt.Errorf("%s: %w", optProvision, err)}
		default:
			return fmt.Errorf("%s: %w", optProvision, err)
		}
	}
	return nil
}

// checkOvertaken determines whether a request, which is about an option, was refused because somebody else has moved
// the node to another state than the plan expects, or has deleted it.
func (a *applier) checkOvertaken(ctx context.Context, option string, err error) error {
	if err != nil && option != "" {
		err = fmt.Errorf("%s: %w", option, err)
	}
	refusals := []int{http.StatusBadRequest, http.StatusConflict, http.StatusInternalServerError} // the last one for a deleted node
	if a.dialect != api.DialectIronic || !slices.Contains(refusals, api.StatusOf(err)) || api.IsLocked(err) {
		return err
	}
	if option == optProvision && !a.moving && refusedElsewhere(err, a.at) {
		return &overtaken{err}
	}
	now, readErr := a.client.Nodes.States(ctx, a.id())
	if api.IsNotFound(readErr) {
		return &overtaken{err}
	}
	if readErr != nil {
		return err
	}
	if state, moves := settled(now.Fields); state != a.at || moves != a.moving {
		return &overtaken{err}
	}
	return err
}

// refusedElsewhere reports whether Ironic refused a step because the node was in another state than this one. The node
// may be back in this state by now, moved by a third client that had planned earlier.
func refusedElsewhere(err error, state string) bool {
	_, is, told := strings.Cut(refusal(err), ` while it is in state "`)
	return told && !strings.HasPrefix(is, state+`"`)
}

// refusal returns Ironic's reason for a 400 response; "" for other errors.
func refusal(err error) string {
	if e, ok := errors.AsType[*api.HTTPError](err); ok && api.IsBadRequest(e) {
		return e.Message
	}
	return ""
}

// setPower changes the power state.
func (a *applier) setPower(ctx context.Context) error {
	state, target := a.p.powering, a.p.power
	switch target {
	case "":
	case api.Reboot, api.SoftReboot:
		state = api.PowerOn
	default:
		if state = target; target == api.SoftPowerOff {
			state = api.PowerOff
		}
		if len(a.p.steps) > 0 { // provisioning changes the power state too
			now, err := a.client.Nodes.States(ctx, a.id())
			if err != nil {
				return err
			}
			if now.PowerState == state && now.TargetPowerState == "" {
				return nil
			}
		}
	}
	if target != "" {
		if err := a.do(ctx, func() error { return a.client.Nodes.SetPower(ctx, a.id(), target) }); err != nil {
			return a.checkOvertaken(ctx, optPower, err)
		}
	}
	if state == "" || !a.w.wait {
		return nil
	}
	a.stale = true
	err := a.waitFor(ctx, func(ctx context.Context) error { return a.client.Nodes.WaitPower(ctx, a.id(), state) })
	if err != nil {
		return fmt.Errorf("%s: %w", optPower, err)
	}
	return nil
}

// waitFor waits as long as the task allows.
func (a *applier) waitFor(ctx context.Context, wait func(context.Context) error) error {
	limited, cancel := context.WithDeadline(ctx, a.ends)
	defer cancel()
	err := wait(limited)
	if failed, ok := errors.AsType[*api.StateTransitionFailedError](err); ok {
		failed.Node = a.called()
	}
	late, ok := errors.AsType[*api.StateTransitionTimeoutError](err)
	if !ok || ctx.Err() != nil {
		return err
	}
	text := fmt.Sprintf("the node %s is not %q after %s", a.called(), late.Expected, a.waited())
	if late.Actual != "" && late.Actual != late.Expected {
		text += fmt.Sprintf(", but %q", late.Actual)
	}
	if late.Reason != "" {
		text += "; its last error: " + late.Reason
	}
	return errors.New(text + "; set a longer wait_timeout, or find out what keeps it")
}

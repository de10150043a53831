package iotronic

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/retry"
)

// Power states and targets.
const (
	PowerOn      = "power on"
	PowerOff     = "power off"
	Reboot       = "rebooting"      // a target only
	SoftPowerOff = "soft power off" // a target only, 1.27
	SoftReboot   = "soft rebooting" // a target only, 1.27
)

// Provisioning targets; which are possible depends on the node's state. Later versions have more.
const (
	ProvisionManage   = "manage"  // to manageable
	ProvisionProvide  = "provide" // to available
	ProvisionActive   = "active"
	ProvisionRebuild  = "rebuild"  // to active
	ProvisionDeleted  = "deleted"  // from active to available
	ProvisionInspect  = "inspect"  // back to manageable
	ProvisionRescue   = "rescue"   // from active to rescue, needs rescue_password in More
	ProvisionUnrescue = "unrescue" // back to active
	ProvisionClean    = "clean"    // back to manageable, needs CleanSteps
	ProvisionAbort    = "abort"
	ProvisionAdopt    = "adopt"    // from manageable to active, with what is already deployed on the node
	ProvisionService  = "service"  // from active back to active, needs ServiceSteps; 1.87
	ProvisionUnhold   = "unhold"   // continues steps that wait; 1.85
	ProvisionDeploy   = "deploy"   // another name of active, 1.73
	ProvisionUndeploy = "undeploy" // another name of deleted, 1.73
)

const available = "available" // a provision state, which has no name in versions before 1.2

// SetPower requests a power state: [PowerOn], [PowerOff], [Reboot] and so on. It returns once Ironic has accepted the
// request; [NodeService.WaitPower] waits for the state.
func (s *NodeService) SetPower(ctx context.Context, id, target string) error {
	needs := map[string]Version{}
	if target == SoftPowerOff || target == SoftReboot {
		needs[target] = softPower
	}
	ask := s.set
	if target == Reboot || target == SoftReboot {
		ask = s.put
	}
	return ask(ctx, "set the power state of a node", id, "/states/power", map[string]string{"target": target}, needs)
}

// Provision is a change of a node's provision state.
type Provision struct {
	Target      string `json:"target"`                // such as ProvisionManage
	ConfigDrive any    `json:"configdrive,omitempty"` // for ProvisionActive: text in base64, a URL, or from 1.56 an object
	CleanSteps  any    `json:"clean_steps,omitempty"` // for ProvisionClean
	More        Object `json:"-"`                     // other parameters, by their names in the API: service_steps, deploy_steps, runbook, rescue_password
}

// returning are the targets that may lead back to the current state of a node, so that Ironic would execute them a
// second time. It refuses all others then.
var returning = []string{ProvisionRebuild, ProvisionInspect, ProvisionClean, ProvisionService, ProvisionAbort, ProvisionUnhold}

// SetProvision requests a change of the provision state. It returns once Ironic has accepted the request;
// [NodeService.WaitProvision] waits for the state.
func (s *NodeService) SetProvision(ctx context.Context, id string, p Provision) error {
	body, err := objectOf(p)
	if err != nil {
		return &ValidationError{err}
	}
	for key, value := range p.More {
		body[key] = value
	}
	if body["runbook"] != nil && p.Target != ProvisionClean && p.Target != ProvisionService {
		return &InvalidAttributeError{Attribute: "runbook", Reason: "Ironic follows runbooks to clean and to service nodes only"}
	}
	needs := map[string]Version{p.Target: ProvisionSince(p.Target)}
	for name := range body {
		needs[name] = ProvisionParameterSince(p.Target, name)
	}
	if isObject(body["configdrive"]) {
		needs["configdrive as an object"] = builtDrive
	}
	return s.ironic(ctx, "set the provision state of a node", id, &call{Request: rest.Request{
		Method: http.MethodPut, Body: body, Once: true, Guarded: !slices.Contains(returning, p.Target),
	}, needs: needs}, "/states/provision", nil)
}

// SetMaintenance puts a node into maintenance, in which Ironic leaves it alone; the reason may be empty.
func (s *NodeService) SetMaintenance(ctx context.Context, id, reason string) error {
	body := map[string]string{}
	if err := CheckValue("nodes", "maintenance_reason", quoted(reason)); err != nil {
		return &ValidationError{err}
	}
	if reason != "" {
		body["reason"] = reason
	}
	return s.set(ctx, "set the maintenance of a node", id, "/maintenance", body, nil)
}

// ClearMaintenance ends the maintenance of a node, and deletes its reason.
func (s *NodeService) ClearMaintenance(ctx context.Context, id string) error {
	return s.ironic(ctx, "clear the maintenance of a node", id, &call{Request: rest.Request{Method: http.MethodDelete}}, "/maintenance", nil)
}

// NodeStates are the states of a node.
type NodeStates struct {
	PowerState           string    `json:"power_state"`
	TargetPowerState     string    `json:"target_power_state"` // "" unless it is changing
	ProvisionState       string    `json:"provision_state"`
	TargetProvisionState string    `json:"target_provision_state"` // "" unless it is changing
	ProvisionUpdatedAt   Timestamp `json:"provision_updated_at"`
	LastError            string    `json:"last_error"`
	ConsoleEnabled       bool      `json:"console_enabled"`

	Raw
}

// States reads the states of a node.
func (s *NodeService) States(ctx context.Context, id string) (*NodeStates, error) {
	out := new(NodeStates)
	err := s.ironic(ctx, "read the states of a node", id, &call{Request: rest.Request{Method: http.MethodGet}}, "/states", out)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// WaitPower waits until a node has a power state that is no longer changing, so that it waits for the end of a [Reboot]
// too. It fails with a [*StateTransitionFailedError] if the node stays in another state with an error, or for some
// seconds without changing, and with a [*StateTransitionTimeoutError] if the context ends before.
func (s *NodeService) WaitPower(ctx context.Context, id, state string) error {
	const most = 5 // also for a node that nothing changes: a request shows in the states from the moment it is accepted
	idle := 0
	return s.wait(ctx, id, state, func(n *NodeStates) (now string, moves, stays bool) {
		idle++
		if moves = n.TargetPowerState != ""; moves {
			idle = 0
		}
		return n.PowerState, moves, !moves && (n.LastError != "" || idle > most)
	})
}

// IsFailedState reports whether a node stays in a provision state, although it still has a target.
func IsFailedState(provisionState string) bool {
	return provisionState == "error" || strings.HasSuffix(provisionState, " failed")
}

// WaitProvision waits until a node has a provision state. It fails with a [*StateTransitionFailedError] if the node is
// in another one and not changing, and with a [*StateTransitionTimeoutError] if the context ends before. The reason is
// the node's last error or, if a failed state has none, the newest one of its history (1.78).
func (s *NodeService) WaitProvision(ctx context.Context, id, state string) error {
	return s.wait(ctx, id, state, func(n *NodeStates) (now string, moves, stays bool) {
		moves = n.TargetProvisionState != "" && !IsFailedState(n.ProvisionState)
		now = n.ProvisionState
		if now == "" && state == available { // it had no name before 1.2
			now = available
		}
		return now, moves, !moves
	})
}

// WaitField waits until a field of a node has a value, as JSON. It fails like [NodeService.WaitPower].
func (s *NodeService) WaitField(ctx context.Context, id, field string, value json.RawMessage) error {
	const most = 20 // looks at a node that nobody works on
	idle := 0
	return s.wait(ctx, id, plainText(value), func(n *NodeStates) (now string, moves, stays bool) {
		idle++
		return plainText(n.Fields[field]), false, n.LastError != "" || idle > most
	})
}

// plainText returns a value for people: a text without quotes.
func plainText(value json.RawMessage) string { return gjson.ParseBytes(value).String() }

// quoted returns a text as JSON.
func quoted(text string) json.RawMessage {
	raw, err := json.Marshal(text)
	if err != nil {
		panic(err) // a text can be encoded
	}
	return raw
}

// looks is the interval between reads: real hardware takes minutes, fake hardware no time.
var looks = retry.Pauses{First: 100 * time.Millisecond, Max: 2 * time.Second}

func (s *NodeService) wait(ctx context.Context, id, state string, look func(*NodeStates) (now string, moves, stays bool)) error {
	err := waitFor(ctx, "", id, state, func() (seen sight, err error) {
		states, err := s.States(ctx, id)
		if err != nil {
			return seen, err
		}
		seen.reason = states.LastError
		seen.now, seen.moves, seen.stays = look(states)
		return seen, nil
	})
	if failed, ok := errors.AsType[*StateTransitionFailedError](err); ok && failed.Reason == "" && IsFailedState(failed.Actual) {
		failed.Reason = s.lastProblem(ctx, id)
	}
	return err
}

// lastProblem returns the newest error in the history of a node; "" if there is none, or no history. Ironic switches
// real hardware off after a failed deployment, and deletes the node's last error then.
func (s *NodeService) lastProblem(ctx context.Context, id string) string {
	events, err := s.History(ctx, id, false)
	if err != nil {
		return "" // the failure is reported anyway
	}
	var at, problem string
	for _, e := range events {
		if e.Text("severity") == "ERROR" && e.Text("created_at") >= at { // they have one format, so the later one is greater
			at, problem = e.Text("created_at"), e.Text("event")
		}
	}
	return problem
}

// sight is the state of an object that is waited for.
type sight struct {
	now    string // its state
	moves  bool   // it is changing to another one
	stays  bool   // it is in this one, and not changing
	reason string // its last error
}

// waitFor reads an object, which is a node unless of has another noun, until it has a state.
func waitFor(ctx context.Context, of, id, state string, look func() (sight, error)) error {
	stayed, seen, ended := false, sight{}, true
	err := looks.Do(ctx, func(int) (again bool, err error) {
		next, err := look()
		if err != nil {
			ended = ctx.Err() != nil
			return ended, err
		}
		seen = next
		switch {
		case seen.now == state && !seen.moves:
			ended = false
			return false, nil
		case seen.stays && stayed: // between the acceptance of a request and its beginning, the result of the previous one is still visible
			ended = false
			return false, &StateTransitionFailedError{Node: id, Of: of, Expected: state, Actual: seen.now, Reason: seen.reason}
		}
		stayed = seen.stays
		return true, nil
	})
	if ended {
		return &StateTransitionTimeoutError{Node: id, Of: of, Expected: state, Actual: seen.now, Reason: seen.reason, Err: err}
	}
	return err
}

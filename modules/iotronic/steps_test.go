package iotronic

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
)

// TestSteps: what is done to the hardware is done in every run, and only where it can be.
func TestSteps(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	n := args{"name": "has-steps", "driver": openstacktest.IronicDriver}
	const secret = "hush-hush-steps"
	clean := func(value string) args {
		return args{"provision_state": "cleaned", "clean_steps": []any{map[string]any{"interface": "bios", "step": "apply_configuration",
			"args": map[string]any{"settings": []any{map[string]any{"name": "boot", "value": value}}}}}}
	}
	sent := a.bodies("/states/provision")
	body := func(value string) string {
		return `{"clean_steps":[{"args":{"settings":[{"name":"boot","value":"` + value + `"}]},"interface":"bios","step":"apply_configuration"}],"target":"clean"}`
	}
	// An order changes the node each time, and tells so, in check mode too.
	order := func(in args) map[string]any {
		t.Helper()
		predicted := a.OK(t, true, nodeName, in.With(checking))
		done := a.OK(t, true, nodeName, in.With(diffing))
		predictedAs(t, "node", predicted, done)
		if after := done.Dict("diff")["after"].(map[string]any)["provision_state"]; after != "manageable (cleaned by this task)" {
			t.Errorf("the diff shows %v", after)
		}
		return done.Dict("node")
	}
	if got := order(n.With(clean("uefi"))); got["provision_state"] != "manageable" {
		t.Errorf("%v", got)
	}
	order(n.With(clean("bios")))
	if d := cmp.Diff([]string{`{"target":"manage"}`, body("uefi"), body("bios")}, *sent); d != "" {
		t.Error(d)
	}
	*sent = nil
	a.OK(t, true, nodeName, n.With(args{"provision_state": "available"}))
	order(n.With(clean("bios")).With(args{"maintenance": true})) // which begins afterwards
	if got := strings.Join(*sent, "\n"); len(*sent) != 3 || !strings.HasSuffix(got, `{"target":"manage"}`+"\n"+body("bios")) {
		t.Error(got)
	}
	a.Fails(t, nodeName, n.With(clean("bios")), "provision_state: ... not clean or service ... maintenance: false")
	a.OK(t, true, nodeName, n.With(clean("bios")).With(args{"maintenance": false, "wait": false}))

	// One that fails is told, and led back by the next.
	*sent = nil
	none := args{"provision_state": "cleaned", "clean_steps": []any{map[string]any{"interface": "bios", "step": "nonsense", "args": map[string]any{"password": secret}}}}
	c := clientOf(t, &openstacktest.Ironic{URL: a.Connection["url"].(string)}, 20)
	free(t, c, "has-steps")
	out := a.Task(t, nodeName, n.With(none))
	if out["failed"] != true || out["changed"] != true || !strings.HasPrefix(out.Msg(), "provision_state: ") || !strings.Contains(out.Msg(), `is "clean failed" and not on its way to "manageable": `) || out.Dict("node")["provision_state"] != "clean failed" {
		t.Errorf("%v", out)
	}
	free(t, c, "has-steps")
	if out := a.Task(t, nodeName, n.With(clean("bios")).With(args{"disable_ramdisk": true, "maintenance": false})); !strings.Contains(out.Msg(), "requires booting a ramdisk") {
		t.Errorf("%v", out) // as the steps of the fake hardware do
	}
	if _, text := run(t, nodeName, a.Connection.With(n).With(none).With(args{"_ansible_diff": true, "_ansible_verbosity": 3}), nil); strings.Contains(text, secret) {
		t.Error(text)
	}
	order(n.With(clean("uefi")).With(args{"maintenance": false}))

	// Steps of a deployment are done when there is one.
	deploy := n.With(args{"provision_state": "active", "deploy_steps": []any{map[string]any{"interface": "bios", "step": "factory_reset", "priority": 0}}})
	a.Fails(t, nodeName, deploy.With(args{"api_version": "1.68"}), "API version 1.68 ... deploy_steps (since 1.69)")
	*sent = nil
	a.does(t, deploy)
	if got := (*sent)[len(*sent)-1]; got != `{"deploy_steps":[{"args":{},"interface":"bios","priority":0,"step":"factory_reset"}],"target":"active"}` {
		t.Error(got)
	}
	step := []any{map[string]any{"interface": "bios", "step": "factory_reset"}}
	service := args{"provision_state": "serviced", "service_steps": step}
	for _, c := range []struct {
		in   args
		want string
	}{
		{service.With(args{"api_version": "1.82"}), "API version 1.82 ... provision_state (service) (since 1.87)"},
		{args{"provision_state": "serviced", "runbook": "CUSTOM_A", "api_version": "1.82"}, "does not have provision_state (service) (since 1.87), runbook (since 1.92)"},
		{args{"provision_state": "cleaned", "clean_steps": step}, `provision_state: the node is "active", so what is deployed on it would be torn down`},
		{args{"provision_state": "cleaned"}, "provision_state: cleaned needs clean_steps, or a runbook"},
		{args{"provision_state": "serviced", "clean_steps": step}, "clean_steps: they require provision_state: cleaned"},
		{args{"clean_steps": step}, "clean_steps: they require provision_state: cleaned"},
		{args{"provision_state": "cleaned", "clean_steps": []any{}}, "clean_steps is empty; set at least one step"},
		{args{"provision_state": "cleaned", "clean_steps": step, "runbook": "x"}, "clean_steps: runbook is set too; leave one of them out"},
		{args{"runbook": "x"}, "runbook: it requires provision_state: cleaned or serviced"},
		{args{"provision_state": "active", "disable_ramdisk": true}, "disable_ramdisk: it requires provision_state: cleaned or serviced"},
		{args{"provision_state": "cleaned", "clean_steps": []any{map[string]any{"step": "x"}}}, "missing required arguments: interface found in clean_steps"},
	} {
		a.Fails(t, nodeName, n.With(c.in), c.want)
	}
	a.OK(t, true, nodeName, n.With(args{"provision_state": "available", "undeploy": true}))
	a.Fails(t, nodeName, n.With(service), `provision_state: ... "available" ... deployed ... serviced ... cleaned`)
	children := args{"provision_state": "cleaned", "clean_steps": []any{map[string]any{"interface": "bios", "step": "factory_reset", "execute_on_child_nodes": true}}}
	a.Fails(t, nodeName, n.With(children).With(args{"api_version": "1.82"}), "API version 1.82 ... clean_steps on child nodes (since 1.83)")
	a.Fails(t, nodeName, n.With(clean("x")).With(args{"disable_ramdisk": true, "api_version": "1.69"}), "API version 1.69 ... disable_ramdisk (since 1.70)")
	a.OK(t, true, nodeName, args{"name": "has-steps", "state": "absent"})
}

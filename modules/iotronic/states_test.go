package iotronic

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
)

// TestStates: power, provisioning and their limits, on a real Ironic.
func TestStates(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	n := args{"name": "state-life"}
	is := func(node map[string]any, provision, power any) {
		t.Helper()
		if node["provision_state"] != provision || node["power_state"] != power || node["target_power_state"] != nil || node["target_provision_state"] != nil {
			t.Errorf("%v %v, on the way to %v %v", node["provision_state"], node["power_state"], node["target_provision_state"], node["target_power_state"])
		}
	}
	is(a.does(t, n.With(args{"driver": openstacktest.IronicDriver, "provision_state": "available", "power": true})), "available", "power on")
	is(a.does(t, n.With(args{"power": "off"})), "available", "power off")
	for range 2 {
		predicted := a.OK(t, true, nodeName, n.With(checking).With(args{"power": "rebooted"}))
		restarted := a.OK(t, true, nodeName, n.With(diffing).With(args{"power": "rebooted"}))
		asPredicted(t, predicted, restarted)
		is(restarted.Dict("node"), "available", "power on")
		if after := restarted.Dict("diff")["after"].(map[string]any)["power_state"]; after != "power on (rebooted by this task)" {
			t.Errorf("a restart in the diff: %v", after)
		}
	}
	is(a.does(t, n.With(args{"provision_state": "manageable"})), "manageable", "power on")
	a.OK(t, true, nodeName, n.With(args{"retired": true}))
	a.Fails(t, nodeName, n.With(args{"provision_state": "available"}), "retired ... available ... retired: false")
	a.Fails(t, nodeName, n.With(args{"provision_state": "available", "retired": false, "protected": true}), "only deployed")
	a.does(t, n.With(args{"provision_state": "available", "retired": false}))
	a.Fails(t, nodeName, n.With(args{"retired": true}), "retire ... available ... provision_state: manageable")
	a.does(t, n.With(args{"provision_state": "manageable", "retired": true, "retired_reason": "old"}))
	is(a.does(t, n.With(args{"provision_state": "available", "retired": false})), "available", "power on")

	a.does(t, args{"name": "put-away", "driver": openstacktest.IronicDriver, "provision_state": "active", "maintenance": true, "maintenance_reason": "no users yet"})
	a.Fails(t, nodeName, args{"name": "put-away", "state": "absent"}, `"put-away" ... "active" ... undeploy: true`)
	a.does(t, args{"name": "put-away", "state": "absent", "undeploy": true})
	a.Fails(t, nodeName, n.With(args{"provision_state": "active", "maintenance": true, "wait": false}), "not deploy or rescue ... maintenance")
	a.OK(t, true, nodeName, n.With(args{"instance_info": map[string]any{"image_type": "whole-disk"}})) // Ironic adds it otherwise
	is(a.does(t, n.With(args{"provision_state": "active", "power": "off", "instance_info": map[string]any{"image_source": "http://x/y"}})), "active", "power off")
	a.Fails(t, nodeName, n.With(args{"provision_state": "available"}), `"active" ... torn down ... undeploy: true`)
	a.Fails(t, nodeName, n.With(args{"state": "absent"}), `"state-life" ... "active" ... undeploy: true`)
	a.does(t, n.With(args{"protected": true, "protected_reason": "precious"}))
	a.does(t, args{"name": "born-precious", "driver": openstacktest.IronicDriver, "provision_state": "active", "protected": true, "protected_reason": "too"})
	a.does(t, args{"name": "born-precious", "maintenance": true, "protected": false})
	a.does(t, args{"name": "born-precious", "state": "absent", "undeploy": true})
	a.Fails(t, nodeName, n.With(args{"state": "absent", "undeploy": true}), `"state-life" ... protected`)
	a.Fails(t, nodeName, n.With(args{"provision_state": "manageable", "undeploy": true}), "the node is protected")
	a.Fails(t, nodeName, n.With(args{"provision_state": "available", "undeploy": true, "protected": false, "instance_info": map[string]any{"x": 1}}), "clears instance_info")
	is(a.does(t, n.With(args{"provision_state": "manageable", "undeploy": true, "protected": false})), "manageable", "power off")

	// Without waiting one step is asked for at a time, and nobody says what will be.
	unseen := n.With(args{"provision_state": "active", "power": "on", "wait": false})
	a.Fails(t, nodeName, unseen.With(args{"protected": true}), `protected: ... "active" ... wait: true`)
	foreseen := a.OK(t, true, nodeName, unseen.With(checking))
	first := a.OK(t, true, nodeName, unseen.With(diffing))
	asPredicted(t, foreseen, first)
	if state := first.Dict("node")["provision_state"]; state == "active" || state == "manageable" {
		t.Errorf("asked for the first step only: %v", state)
	}
	if d := first.Dict("diff")["after"].(map[string]any); d["provision_state"] != "available (asked for by this task)" || d["power_state"] != "power off" {
		t.Errorf("%v %v", d["provision_state"], d["power_state"])
	}
	is(a.OK(t, true, nodeName, n.With(args{"provision_state": "active"})).Dict("node"), "active", "power off")
	a.Fails(t, nodeName, n.With(args{"state": "absent", "undeploy": true, "wait": false}), "wait: true")
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool { // it stays on its way
		if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, "/states") {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"power_state": "power off", "target_power_state": "power on", "provision_state": "active"}`))
		return true
	}
	late := a.Task(t, nodeName, n.With(args{"power": "on", "wait_timeout": 1}))
	a.Answer = nil
	if late["failed"] != true || late["changed"] != true || !strings.Contains(late.Msg(), `power: the node "state-life" is not "power on" after 1 seconds (wait_timeout)`) {
		t.Errorf("out of time: %v", late)
	}
	a.OK(t, false, nodeName, n.With(args{"power": "on"})) // waits for the end
	a.does(t, n.With(args{"state": "absent", "undeploy": true}))

	// Out of a rescue there is a way back.
	rescued := n.With(args{"driver": openstacktest.IronicDriver, "provision_state": "active"})
	a.does(t, rescued.With(args{"instance_info": map[string]any{"image_type": "whole-disk", "kept": 1}}))
	if err := c.Nodes.SetProvision(t.Context(), "state-life", api.Provision{Target: api.ProvisionRescue, More: api.Values(map[string]any{"rescue_password": "hush"})}); err != nil {
		t.Fatal(err)
	}
	if err := c.Nodes.WaitProvision(t.Context(), "state-life", "rescue"); err != nil {
		t.Fatal(err)
	}
	if back := a.does(t, rescued); back["provision_state"] != "active" || back["instance_info"].(map[string]any)["kept"] != 1.0 {
		t.Errorf("%v", back)
	}
	a.does(t, n.With(args{"state": "absent", "undeploy": true}))

	// The cleaning of what is retired ends elsewhere.
	for i, how := range []args{{"provision_state": "manageable"}, {"state": "absent"}} {
		old := n.With(args{"driver": openstacktest.IronicDriver, "provision_state": "active", "automated_clean": true, "retired": false})
		a.does(t, old)
		a.does(t, n.With(args{"retired": true}))
		a.does(t, n.With(how).With(args{"undeploy": true}))
		if i == 0 {
			a.does(t, n.With(args{"state": "absent"}))
		}
	}

	// What nobody knows beforehand is in no diff: the power, which provisioning may switch.
	moved := a.OK(t, true, nodeName, n.With(diffing).With(args{"driver": openstacktest.IronicDriver, "provision_state": "manageable"}))
	if d := a.OK(t, true, nodeName, n.With(checking).With(args{"provision_state": "available"})).Dict("diff"); d["before"].(map[string]any)["power_state"] != d["after"].(map[string]any)["power_state"] {
		t.Errorf("after %v: %v", moved["node"], d)
	}
	a.does(t, n.With(args{"state": "absent"}))

	// In maintenance what is deployed is not torn down.
	a.OK(t, true, nodeName, n.With(args{"driver": openstacktest.IronicDriver, "provision_state": "active"}))
	a.OK(t, true, nodeName, n.With(args{"maintenance": true}))
	a.does(t, n.With(args{"state": "absent", "undeploy": true}))
}

// TestUnderWay: a node on its way between states.
func TestUnderWay(t *testing.T) {
	t.Parallel()
	node := func(provision, target, power, powerTarget string) api.Object {
		o := api.Object{"uuid": raw("u"), "name": raw("n"), "provision_state": raw(provision), "target_provision_state": null, "power_state": raw(power), "target_power_state": null}
		if target != "" {
			o["target_provision_state"] = raw(target)
		}
		if powerTarget != "" {
			o["target_power_state"] = raw(powerTarget)
		}
		return o
	}
	with := func(o api.Object, key string, value any) api.Object { o[key] = raw(value); return o }
	for name, tt := range map[string]struct {
		node                   api.Object
		want                   want
		changed                bool
		settle, power, awaited string
		verbs                  []string
		fails                  string
	}{
		"nothing to do":                  {node: node("cleaning", "available", "power off", "")},
		"there already":                  {node: node("available", "", "power off", ""), want: want{provision: available}},
		"on its way there":               {node: node("cleaning", "available", "power off", ""), want: want{provision: available, wait: true}, settle: "available"},
		"on its way there, no waiting":   {node: node("cleaning", "available", "power off", ""), want: want{provision: available}},
		"on its way elsewhere":           {node: node("verifying", "manageable", "power off", ""), want: want{provision: available, wait: true}, settle: "manageable", changed: true, verbs: []string{"provide"}},
		"a change has to wait":           {node: node("verifying", "manageable", "power off", ""), want: want{power: on, wait: true}, settle: "manageable", changed: true, power: "power on"},
		"switched on already":            {node: node("available", "", "power off", "power on"), want: want{power: on, wait: true}, awaited: "power on"},
		"switched on, nobody waits":      {node: node("available", "", "power off", "power on"), want: want{power: on}},
		"switched off meanwhile":         {node: node("available", "", "power on", "power off"), want: want{power: on, wait: true}, changed: true, power: "power on"},
		"rebooting":                      {node: node("available", "", "power on", "rebooting"), want: want{power: on, wait: true}, awaited: "power on"},
		"a failed deployment":            {node: node("deploy failed", "active", "power on", ""), want: want{provision: active, wait: true}, changed: true, verbs: []string{"active"}},
		"a failed deployment to be gone": {node: node("deploy failed", "active", "power on", ""), want: want{provision: available, wait: true}, fails: "set undeploy: true"},
		"torn down":                      {node: node("deploy failed", "active", "power on", ""), want: want{provision: manageable, wait: true, undeploy: true}, changed: true, verbs: []string{"deleted", "manage"}},
		"a failed cleaning":              {node: node("clean failed", "available", "power on", ""), want: want{provision: active, wait: true}, changed: true, verbs: []string{"manage", "provide", "active"}},
		"a rescue":                       {node: node("rescue", "", "power on", ""), want: want{provision: active, wait: true}, changed: true, verbs: []string{"unrescue"}},
		"a rescue in maintenance":        {node: with(node("rescue", "", "power on", ""), keyMaintenance, true), want: want{provision: active, wait: true}, fails: "or end a rescue or a failed service; set maintenance: false"},
		"a rescue put into maintenance":  {node: node("rescue", "", "power on", ""), want: want{provision: active, wait: true, maintenance: new(true)}, changed: true, verbs: []string{"unrescue"}},
		"a service that failed":          {node: node("service failed", "active", "power on", ""), want: want{provision: active, wait: true}, changed: true, verbs: []string{"abort"}},
		"which is put into maintenance":  {node: with(node("service failed", "active", "power on", ""), keyMaintenance, true), want: want{provision: active, wait: true}, fails: "or a failed service; set maintenance: false"},
		"a service that failed, gone":    {node: node("service failed", "active", "power on", ""), want: want{provision: available, wait: true, undeploy: true}, changed: true, verbs: []string{"deleted"}},
		"a state of later days":          {node: node("levitating", "", "power on", ""), want: want{provision: active, wait: true}, fails: `no way from there to "active"; move it to enroll, manageable, available or active`},
		"a failed rescue":                {node: node("rescue failed", "rescue", "power on", ""), want: want{provision: active, wait: true, undeploy: true}, changed: true, verbs: []string{"unrescue"}},
		"a rescue given up":              {node: node("rescue", "", "power on", ""), want: want{provision: manageable, wait: true, undeploy: true}, changed: true, verbs: []string{"deleted", "manage"}},
		"an error":                       {node: node("error", "", "power on", ""), want: want{provision: active, wait: true}, fails: "can only be deployed again; to do that, set undeploy: true"},
		"an error written anew":          {node: node("error", "", "power on", ""), want: want{provision: active, wait: true, undeploy: true}, changed: true, verbs: []string{"rebuild"}},
		"an error torn down":             {node: node("error", "", "power on", ""), want: want{provision: available, wait: true, undeploy: true}, changed: true, verbs: []string{"deleted"}},
		"torn down with what is to be":   {node: node("active", "", "power on", ""), want: want{provision: available, wait: true, undeploy: true, dicts: map[string]wantDict{"instance_info": {values: api.Object{"a": null}}}}, fails: "tearing down clears instance_info"},
		"put into maintenance under way": {node: node("clean wait", "available", "power on", ""), want: want{maintenance: new(true), wait: true}, changed: true},
		"waiting, and in maintenance":    {node: with(node("clean wait", "available", "power on", ""), keyMaintenance, true), want: want{provision: available, wait: true}, fails: `the node is "clean wait" and does not get to "available" in maintenance; set maintenance: false`},
		"cleaning, and in maintenance":   {node: with(node("cleaning", "available", "power on", ""), keyMaintenance, true), want: want{provision: available, wait: true}, settle: "available"},
		"and no longer":                  {node: with(node("clean wait", "available", "power on", ""), keyMaintenance, true), want: want{provision: available, maintenance: new(false), wait: true}, changed: true, settle: "available"},
		"changed under way":              {node: node("clean wait", "available", "power on", ""), want: want{values: map[string]json.RawMessage{"description": raw("d")}, wait: true}, changed: true, settle: "available"},
		"changed under way, no waiting":  {node: node("clean wait", "available", "power on", ""), want: want{values: map[string]json.RawMessage{"description": raw("d")}}, fails: `the node is "clean wait", on its way to "available", and Ironic changes nothing of it until it has arrived; set wait: true`},
		"changed while it is verified":   {node: node("verifying", "manageable", "power on", ""), want: want{values: map[string]json.RawMessage{"description": raw("d")}}, changed: true},
		"removed, stuck in maintenance":  {node: with(node("clean wait", "available", "power on", ""), keyMaintenance, true), want: want{wait: true, undeploy: true, uuid: "absent"}, changed: true},
		"torn down, retired":             {node: with(node("active", "", "power on", ""), "retired", true), want: want{provision: manageable, wait: true, undeploy: true}, changed: true, verbs: []string{"deleted", "manage"}},
		"available, retired":             {node: with(node("active", "", "power on", ""), "retired", true), want: want{provision: available, wait: true, undeploy: true}, fails: "Ironic does not make a retired node available; set retired: false, or provision_state: manageable"},
		"a state of the first days":      {node: with(node("x", "", "power on", ""), keyProvision, nil), want: want{provision: active, wait: true}, changed: true, verbs: []string{"active"}},
		"deploying, to be removed":       {node: node("deploying", "active", "power on", ""), want: want{wait: true, uuid: "absent"}, fails: `is on its way to "active", and would be removed with what is deployed on it; to do that, set undeploy: true`},
		"deploying, to go at once":       {node: node("deploying", "active", "power on", ""), want: want{undeploy: true, uuid: "absent"}, fails: "cannot be torn down yet; set wait: true"},
		"deploying, in maintenance":      {node: with(node("wait call-back", "active", "power on", ""), keyMaintenance, true), want: want{wait: true, uuid: "absent"}, fails: "set undeploy: true"},
		"deployed, in maintenance":       {node: with(node("active", "", "power on", ""), keyMaintenance, true), want: want{wait: true, undeploy: true, uuid: "absent"}, changed: true},
		"deploying, to be manageable":    {node: node("wait call-back", "active", "power on", ""), want: want{provision: manageable, wait: true}, fails: `the node is on its way to "active", so what is deployed`},
		"deploying, nobody waits":        {node: node("deploying", "active", "power on", ""), want: want{provision: manageable}, fails: `the node is "deploying", on its way to "active"; set wait: true`},
		"removed when it is settled":     {node: node("verifying", "manageable", "power on", ""), want: want{wait: true, uuid: "absent"}, changed: true, settle: "manageable"},
		"not removed under way":          {node: node("verifying", "manageable", "power on", ""), want: want{uuid: "absent"}, fails: `is "verifying", and cannot be removed`},
		"a failed rescue removed":        {node: node("rescue failed", "rescue", "power on", ""), want: want{wait: true, undeploy: true, uuid: "absent"}, changed: true, verbs: []string{"deleted"}},
	} {
		w := tt.want
		w.of = nodes
		w.present = w.uuid != "absent"
		w.uuid = ""
		p, err := makePlan(&w, tt.node, api.DialectIronic)
		if err == nil {
			err = p.guard(api.DialectIronic)
		}
		if err != nil || tt.fails != "" {
			if tt.fails == "" || err == nil || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		var verbs []string
		for _, s := range p.steps {
			verbs = append(verbs, s.verb)
		}
		if p.changed() != tt.changed || p.settle != tt.settle || p.power != tt.power || p.powering != tt.awaited || !slices.Equal(verbs, tt.verbs) {
			t.Errorf("%s: changed %v, settle %q, power %q, awaited %q, %v", name, p.changed(), p.settle, p.power, p.powering, verbs)
		}
		if w.present && (p.settle != "" || len(p.steps) > 0) {
			if state := p.after.Text("target_provision_state"); state != "" && !strings.Contains(tt.node.Text("provision_state"), "failed") {
				t.Errorf("%s: it is still on its way to %s", name, state)
			}
		}
	}
}

// TestSecrets: what Ironic hides is written once, and again only when the task says so; it is never shown, and stars
// are never written.
func TestSecrets(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	const secret, other = "hunter2-hunter2", "correct-horse"
	n := args{"name": "secrets"}
	info := func(values map[string]any) args { return n.With(args{"driver_info": values}) }
	shows := func(name string, in args) {
		t.Helper()
		if _, text := run(t, nodeName, a.Connection.With(in).With(args{"_ansible_diff": true, "_ansible_verbosity": 3}), nil); strings.Contains(text, secret) || strings.Contains(text, other) {
			t.Errorf("%s: %s", name, text)
		}
	}
	create := info(map[string]any{"address": "192.0.2.7", "ipmi_password": secret, "snmp": map[string]any{"AUTH_TOKEN": secret, "user": "u"}, "text": "x password=" + secret}).With(args{"driver": openstacktest.IronicDriver})
	shows("check mode", create.With(checking))
	shows("a create", create)
	made := a.OK(t, false, nodeName, create).Dict("node")["driver_info"]
	if d := cmp.Diff(map[string]any{"address": "192.0.2.7", "ipmi_password": stars, "snmp": map[string]any{"AUTH_TOKEN": stars, "user": "u"}, "text": "x password=" + stars}, made); d != "" {
		t.Error(d)
	}
	// Another password cannot be told from the one that is there.
	a.OK(t, false, nodeName, info(map[string]any{"ipmi_password": other}))
	a.OK(t, false, nodeName, info(map[string]any{"snmp": map[string]any{"AUTH_TOKEN": other, "user": "u"}}))
	for range 2 {
		always := info(map[string]any{"ipmi_password": other, "address": "192.0.2.7"}).With(args{"update_password": "always"})
		asPredicted(t, a.OK(t, true, nodeName, always.With(checking)), a.OK(t, true, nodeName, always.With(diffing)))
		shows("a new password", always)
	}
	a.does(t, info(map[string]any{"snmp": map[string]any{"AUTH_TOKEN": other, "user": "v"}})) // the whole dict is written
	a.does(t, info(map[string]any{"redfish_password": secret}))                               // a new key
	shows("a broken dict", n.With(args{"driver_info": "{'ipmi_password': '" + secret + "'"}))
	// What Ironic shows is not what it has.
	a.OK(t, false, nodeName, info(map[string]any{"ipmi_password": stars}))
	a.Fails(t, nodeName, info(map[string]any{"new_password": stars}), "driver_info: new_password ", "in place of a secret")
	a.Fails(t, nodeName, info(map[string]any{"ipmi_password": stars}).With(args{"update_password": "always"}), "driver_info: ipmi_password ", "which Ironic shows")
	// A key that cannot be written alone takes the others along, and so must not take stars along.
	a.Fails(t, nodeName, info(map[string]any{"odd.key": 1}), "secrets", "driver_info_mode: replace")
	a.does(t, info(map[string]any{"odd.key": 1, "ipmi_password": secret}).With(args{"driver_info_mode": "replace"}))
	a.does(t, info(map[string]any{"odd.key": 2, "ipmi_password": secret}))
	a.does(t, n.With(args{"extra": map[string]any{"odd.key": stars, "password": "no secret"}}))
	a.does(t, n.With(args{"extra": map[string]any{"odd.key": "no stars"}}))
	a.does(t, n.With(args{"state": "absent"}))
}

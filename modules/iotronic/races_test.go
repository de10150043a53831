package iotronic

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
)

// verb is the verb of provisioning, or of power, that a request asks for; "" of any other. The request can still be
// sent on.
func verb(t *testing.T, r *http.Request) string {
	t.Helper()
	if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/states/") {
		return ""
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	r.Body = io.NopCloser(strings.NewReader(string(text)))
	_, target, _ := strings.Cut(string(text), `"target":"`)
	target, _, _ = strings.Cut(target, `"`)
	return target
}

// nodeOf is the node of a request.
func nodeOf(r *http.Request) string { return strings.Split(r.URL.Path, "/")[3] }

// provisioned leads a node somewhere, for somebody else, and waits until Ironic has given back its lock.
func provisioned(t *testing.T, c *api.Client, node, verb, state string) {
	t.Helper()
	if err := c.Nodes.SetProvision(t.Context(), node, api.Provision{Target: verb}); err != nil {
		t.Error(err)
	}
	if err := c.Nodes.WaitProvision(t.Context(), node, state); err != nil {
		t.Error(err)
	}
	free(t, c, node)
}

// TestOneTearDown: what somebody deploys on a node that this task has torn down is not torn down as well.
func TestOneTearDown(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	create := args{"name": "taken-again", "driver": openstacktest.IronicDriver, "provision_state": "active"}
	for _, in := range []args{{"provision_state": "manageable"}, {"state": "absent"}} {
		a.OK(t, true, nodeName, create)
		free(t, c, "taken-again")
		asked, taken := 0, false
		a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
			if verb(t, r) == api.ProvisionDeleted {
				asked++
			}
			if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/states") && asked == 1 && !taken { // between two looks
				taken = true
				if err := c.Nodes.WaitProvision(t.Context(), nodeOf(r), available); err != nil {
					t.Error(err)
				}
				provisioned(t, c, nodeOf(r), api.ProvisionActive, active)
			}
			return false
		}
		out := a.Task(t, nodeName, in.With(args{"name": "taken-again", "undeploy": true}))
		a.Answer = nil
		if out["failed"] != true || out["changed"] != true || asked != 1 || out.Dict("node")["provision_state"] != active ||
			!strings.Contains(out.Msg(), `somebody else has moved the node "taken-again" to "active" in the meantime; the task does not ask for "deleted" a second time`) {
			t.Errorf("%v: asked %d times, %s, %v", in, asked, out.Msg(), out.Dict("node")["provision_state"])
		}
		a.OK(t, true, nodeName, in.With(args{"name": "taken-again", "undeploy": true}))
	}
}

// TestOneDeployment: what somebody tears down while this task waits for it is not deployed anew.
func TestOneDeployment(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	name := args{"name": "torn-down-again"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "provision_state": "available"}))
	asked := 0
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if verb(t, r) != api.ProvisionActive {
			return false
		}
		asked++
		provisioned(t, c, nodeOf(r), api.ProvisionActive, active)
		provisioned(t, c, nodeOf(r), api.ProvisionDeleted, available)
		w.WriteHeader(http.StatusAccepted)
		return true
	}
	out := a.Task(t, nodeName, name.With(args{"provision_state": "active"}))
	a.Answer = nil
	if out["failed"] != true || asked != 1 || !strings.Contains(out.Msg(), `the task does not ask for "active" a second time`) {
		t.Errorf("asked %d times: %s", asked, out.Msg())
	}
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// TestThereAndBack: a node that somebody else had led on when Ironic refused a step is planned anew, even if it is back
// when one looks: a third host with an older plan may lead it back.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	name := args{"name": "there-and-back"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "provision_state": "manageable"}))
	asked, back := 0, false
	a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		switch {
		case verb(t, r) == api.ProvisionProvide:
			if asked++; asked == 1 {
				provisioned(t, c, nodeOf(r), api.ProvisionProvide, available)
			}
		case asked == 1 && !back && strings.HasPrefix(r.URL.Path, "/v1/nodes/"):
			back = true
			provisioned(t, c, nodeOf(r), api.ProvisionManage, manageable)
		}
		return false
	}
	out := a.Task(t, nodeName, name.With(args{"provision_state": "available"}))
	a.Answer = nil
	if out["failed"] != nil || !back || out.Dict("node")["provision_state"] != available {
		t.Errorf("%s: %v", out.Msg(), out.Dict("node")["provision_state"])
	}
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// TestPowerFight: power that somebody switches the other way is not waited for until the time is over.
func TestPowerFight(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	name := args{"name": "switched-back"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "power": "on"}))
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if verb(t, r) == "" {
			return false
		}
		for _, state := range []string{api.PowerOff, api.PowerOn} {
			if err := c.Nodes.SetPower(t.Context(), nodeOf(r), state); err != nil {
				t.Error(err)
			}
			if err := c.Nodes.WaitPower(t.Context(), nodeOf(r), state); err != nil {
				t.Error(err)
			}
		}
		w.WriteHeader(http.StatusAccepted)
		return true
	}
	out := a.Task(t, nodeName, name.With(args{"power": "off"})) // it may wait for 1800 seconds
	a.Answer = nil
	if out["failed"] != true || out["changed"] != true || !strings.Contains(out.Msg(), `"power on"`) {
		t.Errorf("%v: %s", out["changed"], out.Msg())
	}
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// TestChangedTogether: the same task from many hosts, where what one changes makes another's request wrong.
func TestChangedTogether(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	name := args{"name": "changed-together"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver}))
	for round := range 3 {
		a.OK(t, true, nodeName, name.With(args{"extra": map[string]any{"gone": round, "gone2": round}}))
		results := make([]output, 6)
		var all sync.WaitGroup
		for h := range results {
			all.Go(func() {
				results[h] = a.Task(t, nodeName, name.With(args{"extra": map[string]any{"keep": 1}, "extra_mode": "replace"}))
			})
		}
		all.Wait()
		for _, out := range results {
			if out["failed"] != nil || fmt.Sprint(out.Dict("node")["extra"]) != "map[keep:1]" {
				t.Errorf("%v: %s", out.Dict("node")["extra"], out.Msg())
			}
		}
	}
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// TestLedTogether: the same task from many hosts that changes a node and leads it on.
func TestLedTogether(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	name := args{"name": "led-together"}
	create := name.With(args{"driver": openstacktest.IronicDriver, "provision_state": "manageable"})
	for round := range 2 {
		a.OK(t, true, nodeName, create)
		for _, in := range []args{
			{"description": "d", "extra": map[string]any{"round": round}, "provision_state": "active", "power": "on"},
			{"state": "absent", "undeploy": true},
		} {
			results := make([]output, 6)
			var all sync.WaitGroup
			for h := range results {
				all.Go(func() { results[h] = a.Task(t, nodeName, name.With(in)) })
			}
			all.Wait()
			for _, out := range results {
				if out["failed"] != nil || in["state"] == nil && (out.Dict("node")["provision_state"] != active || out.Dict("node")["power_state"] != "power on") {
					t.Errorf("%v: %v, %s", in, out.Dict("node")["provision_state"], out.Msg())
				}
			}
		}
	}
}

// TestRecreated: a node that was removed and made anew is another one: it is deployed, too.
func TestRecreated(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	in := args{"name": "made-anew", "driver": openstacktest.IronicDriver, "provision_state": "active"}
	removed := false
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if verb(t, r) != api.ProvisionActive || removed {
			return false
		}
		removed = true
		provisioned(t, c, nodeOf(r), api.ProvisionActive, active)
		provisioned(t, c, nodeOf(r), api.ProvisionDeleted, available)
		if err := c.Nodes.Delete(t.Context(), nodeOf(r)); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		return true
	}
	a.OK(t, true, nodeName, in)
	a.Answer = nil
	a.OK(t, true, nodeName, args{"name": "made-anew", "state": "absent", "undeploy": true})
}

// TestImageOfAnother: what Ironic has noted of the image stays while it is deployed, and goes where another is to be.
func TestImageOfAnother(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	name := args{"name": "another-image"}
	info := func(of map[string]any) args {
		return args{"instance_info": of, "instance_info_mode": "replace", "provision_state": "active"}
	}
	old := map[string]any{"image_source": "http://x/y", "image_os_hash_algo": "sha256", "image_os_hash_value": "wrong"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "provision_state": "available", "instance_info": old}))
	right := map[string]any{"image_source": "http://x/y", "image_checksum": "right", "image_type": "whole-disk"}
	out := a.OK(t, true, nodeName, name.With(info(right)))
	if diff := cmp.Diff(right, out.Dict("node")["instance_info"]); diff != "" {
		t.Error(diff)
	}
	a.OK(t, true, nodeName, name.With(args{"instance_info": old})) // as if Ironic had
	a.OK(t, false, nodeName, name.With(info(right)))
	a.OK(t, true, nodeName, name.With(args{"state": "absent", "undeploy": true}))
}

// TestNamesOfOthers: Ironic takes .json off a name, and finds the node that is called by the rest.
func TestNamesOfOthers(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	name := args{"name": "suffixed"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver}))
	writes := a.Writes.Load()
	for _, in := range []args{{"state": "absent"}, {"description": "d"}, {"driver": openstacktest.IronicDriver}} {
		for _, other := range []string{"suffixed.json", "ports", "states"} {
			if out := a.Task(t, nodeName, in.With(args{"name": other})); out["failed"] != true || !strings.Contains(out.Msg(), "use the UUID, or another name") {
				t.Errorf("%v: %s", in, out.Msg())
			}
		}
	}
	if out := a.Task(t, node.infoName(), args{"name": "suffixed.json"}); out["failed"] != true && len(out["nodes"].([]any)) > 0 {
		t.Errorf("%v", out)
	}
	if n := a.Writes.Load() - writes; n != 0 {
		t.Errorf("%d changes", n)
	}
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

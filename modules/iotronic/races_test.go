package iotronic

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
)

// verb is the verb of provisioning, or of power, that a request asks for; "" of any other. The request can still be sent on.
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

// provisioned leads a node somewhere, for somebody else.
func provisioned(t *testing.T, c *api.Client, node, verb, state string) {
	t.Helper()
	if err := c.Nodes.SetProvision(t.Context(), node, api.Provision{Target: verb}); err != nil {
		t.Error(err)
	}
	if err := c.Nodes.WaitProvision(t.Context(), node, state); err != nil {
		t.Error(err)
	}
}

// TestOneTearDown: what somebody deploys on a node that this task has torn down is not torn down as well.
func TestOneTearDown(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	create := args{"name": "taken-again", "driver": openstacktest.IronicDriver, "provision_state": "active"}
	for _, in := range []args{{"provision_state": "manageable"}, {"state": "absent"}} {
		a.OK(t, true, nodeName, create)
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
			!strings.Contains(out.Msg(), `somebody else has led the node "taken-again" to "active" meanwhile; "deleted" is not asked for a second time`) {
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
	if out["failed"] != true || asked != 1 || !strings.Contains(out.Msg(), `"active" is not asked for a second time`) {
		t.Errorf("asked %d times: %s", asked, out.Msg())
	}
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// TestDeploymentFails: a task that tears down waits for what is being deployed, which may fail.
func TestDeploymentFails(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	name := args{"name": "fails-meanwhile"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver, "provision_state": "active"}))
	if err := i.Move(t.Context(), "fails-meanwhile", "wait call-back", "active"); err != nil {
		t.Fatal(err)
	}
	looks := 0
	a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/states") {
			if looks++; looks == 2 {
				if err := i.Move(t.Context(), "fails-meanwhile", "deploy failed", "active"); err != nil {
					t.Error(err)
				}
				if err := i.Set(t.Context(), "fails-meanwhile", map[string]any{"last_error": "no agent called"}); err != nil {
					t.Error(err)
				}
			}
		}
		return false
	}
	a.OK(t, true, nodeName, name.With(args{"provision_state": "available", "undeploy": true}))
	a.Answer = nil
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

// TestMissingConductor: a 404 of what the node needs is told at once.
func TestMissingConductor(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	name := args{"name": "without-conductor"}
	a.OK(t, true, nodeName, name.With(args{"driver": openstacktest.IronicDriver}))
	group := func(name string) {
		if err := i.Set(t.Context(), "without-conductor", map[string]any{"conductor_group": name}); err != nil {
			t.Fatal(err)
		}
	}
	group("nobody")
	writes := a.Writes.Load()
	out := a.Task(t, nodeName, name.With(args{"power": "on"}))
	if n := a.Writes.Load() - writes; n != 1 || !strings.Contains(out.Msg(), "No valid host was found") {
		t.Errorf("%d requests: %s", n, out.Msg())
	}
	group("")
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
}

// TestChangedTogether: the same task from many hosts, where what one changes makes another's request wrong.
func TestChangedTogether(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	name := args{"name": "changed-together"}
	create := name.With(args{"driver": openstacktest.IronicDriver})
	a.OK(t, true, nodeName, create)
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

	// Another host creates the node, and leads it on while this one wants to write what a create cannot.
	posted, patched := false, false
	a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
		switch {
		case r.Method == http.MethodPost && !posted:
			posted = true
			if _, err := c.Nodes.Create(t.Context(), api.NodeCreate{Name: "changed-together", Driver: openstacktest.IronicDriver}); err != nil {
				t.Error(err)
			}
		case r.Method == http.MethodPatch && !patched:
			patched = true
			if err := i.Move(t.Context(), "changed-together", "cleaning", "available"); err != nil {
				t.Error(err)
			}
		case patched && strings.HasSuffix(r.URL.Path, "/states"):
			a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/states") {
					if err := i.Move(t.Context(), "changed-together", "available", ""); err != nil {
						t.Error(err)
					}
				}
				return false
			}
		}
		return false
	}
	a.Connection["max_retries"] = 0
	out := a.Task(t, nodeName, create.With(args{"owner": "me", "provision_state": "available"}))
	a.Answer = nil
	a.Connection["max_retries"] = 20
	if out["failed"] != nil || out.Dict("node")["owner"] != "me" || !patched {
		t.Errorf("%v, %s", out.Dict("node"), out.Msg())
	}
	a.OK(t, true, nodeName, name.With(args{"state": "absent"}))
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

package iotronic

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/craton-fleet/craton/internal/openstacktest"
	api "github.com/craton-fleet/craton/iotronic"
)

// TestHalfDone: what fails after something was changed says so, and shows the node as it is.
func TestHalfDone(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	a.Connection["max_retries"] = 0
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/states/power") {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"no fuse\"}"}`)
		return true
	}
	in := args{"name": "half", "driver": openstacktest.IronicDriver, "maintenance": true, "power": "on"}
	out := a.Task(t, nodeName, in)
	if n := out.Dict("node"); out["failed"] != true || out["changed"] != true || !strings.Contains(out.Msg(), "power: PUT") || !strings.Contains(out.Msg(), "no fuse") || n["maintenance"] != true {
		t.Errorf("%v", out)
	}
	if out := a.Task(t, nodeName, in); out["failed"] != true || out["changed"] != false || out.Dict("node")["name"] != "half" {
		t.Errorf("again: %v", out)
	}
	a.OK(t, true, nodeName, args{"name": "half", "state": "absent"})
}

// TestOvertaken: what somebody else creates or removes at the same time is no error.
func TestOvertaken(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	c := clientOf(t, i, 20)
	ctx := context.Background()
	faster := func(method string, do func() error) {
		a.Answer = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == method {
				a.Answer = nil
				if err := do(); err != nil {
					t.Error(err)
				}
			}
			return false
		}
	}
	in := args{"name": "raced", "driver": openstacktest.IronicDriver, "description": "mine"}
	faster(http.MethodPost, func() error {
		_, err := c.Nodes.Create(ctx, api.NodeCreate{Name: "raced", Driver: openstacktest.IronicDriver, Description: "theirs"})
		return err
	})
	if out := a.Task(t, nodeName, in); out["failed"] != nil || out["changed"] != true || out.Dict("node")["description"] != "mine" {
		t.Errorf("created by somebody else: %v", out)
	}
	faster(http.MethodDelete, func() error { return c.Nodes.Delete(ctx, "raced") })
	if out := a.Task(t, nodeName, args{"name": "raced", "state": "absent"}); out["failed"] != nil || out["changed"] != false {
		t.Errorf("removed by somebody else: %v", out)
	}
}

// TestRequestsOfATask: a task that changes nothing asks for the node and, unless it is told, for the dialect.
func TestRequestsOfATask(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	in := args{"name": "counted", "driver": openstacktest.IronicDriver, "extra": map[string]any{"a": 1}, "maintenance": false}
	a.OK(t, true, nodeName, in)
	told := args{"dialect": "ironic", "api_version": "1.82"} // there is nothing to find out
	for _, c := range []struct {
		name string
		in   args
		want int64
	}{
		{nodeName, in, 2},
		{nodeName, in.With(told), 1},
		{nodeName, args{"name": "nothing", "state": "absent"}.With(told), 1},
		{node.infoName(), args{"name": "counted"}.With(told), 1},
		{node.infoName(), args{"owner": "nobody"}.With(told), 1},
	} {
		before := a.Requests.Load()
		a.OK(t, false, c.name, c.in)
		if n := a.Requests.Load() - before; n != c.want {
			t.Errorf("%s %v: %d requests, not %d", c.name, c.in, n, c.want)
		}
	}
	before := a.Writes.Load()
	a.OK(t, true, nodeName, in.With(args{"extra": map[string]any{"b": 2}, "properties": map[string]any{"c": 3}, "description": "d"}))
	if n := a.Writes.Load() - before; n != 1 {
		t.Errorf("%d requests that write", n)
	}
	a.OK(t, true, nodeName, args{"name": "counted", "state": "absent"})
}

// TestLocked: a task waits for others to be done with the node, as long as it may.
func TestLocked(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	a.Connection["max_retries"] = 1 // so that each request is sent twice
	a.OK(t, true, nodeName, args{"name": "locked", "driver": openstacktest.IronicDriver})
	left := 0
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || left == 0 {
			return false
		}
		left--
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Node u is locked by host c, please retry after the current operation is completed.\"}"}`)
		return true
	}
	in := args{"name": "locked", "description": "mine"}
	for reason, how := range map[string]args{"please retry": {"wait": false}, `; the node "locked" is still locked after 1 seconds (wait_timeout)`: {"wait_timeout": 1}} {
		left = 2
		if out := a.Task(t, nodeName, in.With(how)); out["failed"] != true || out["changed"] != false || !strings.Contains(out.Msg(), reason) {
			t.Errorf("%v: %v", how, out)
		}
	}
	left = 2
	if out := a.Task(t, nodeName, in); out["failed"] != nil || out["changed"] != true || left != 0 {
		t.Errorf("%v", out)
	}
	a.OK(t, true, nodeName, args{"name": "locked", "state": "absent"})
}

// TestTogether: the same task from many hosts at once, on one node, leads it there once, and fails nowhere.
func TestTogether(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	const hosts = 6
	for _, in := range []args{
		{"driver": openstacktest.IronicDriver, "provision_state": "available", "extra": map[string]any{"a": 1}},
		{"provision_state": "active"},
		{"provision_state": "manageable", "undeploy": true},
		{"provision_state": "active", "power": "off", "maintenance": false},
		{"state": "absent", "undeploy": true},
	} {
		results := make([]output, hosts)
		var all sync.WaitGroup
		for i := range hosts {
			all.Go(func() { results[i] = a.Task(t, nodeName, in.With(args{"name": "together"})) })
		}
		all.Wait()
		changed := false
		for _, out := range results {
			if out["failed"] != nil {
				t.Errorf("%v: %s", in, out.Msg())
			}
			changed = changed || out["changed"] == true
		}
		if !changed {
			t.Errorf("%v: nothing has changed", in)
		}
	}
}

// TestStepFails: a step of provisioning that fails is not tried again: what Ironic says of it is the error.
func TestStepFails(t *testing.T) {
	t.Parallel()
	_, a := newIronic(t)
	a.OK(t, true, nodeName, args{"name": "unverified", "driver": openstacktest.IronicDriver})
	asked := 0
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		switch {
		case strings.HasSuffix(r.URL.Path, "/states/provision"):
			asked++
			w.WriteHeader(http.StatusAccepted)
		case strings.HasSuffix(r.URL.Path, "/states"): // as after a BMC that refuses the password
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"provision_state": "enroll", "target_provision_state": null, "last_error": "no BMC there"}`)
		default:
			return false
		}
		return true
	}
	out := a.Task(t, nodeName, args{"name": "unverified", "provision_state": "available"})
	if out["failed"] != true || out["changed"] != true || !strings.Contains(out.Msg(), "no BMC there") || asked != 1 {
		t.Errorf("asked %d times: %v", asked, out)
	}
	a.Answer = nil
	a.OK(t, true, nodeName, args{"name": "unverified", "state": "absent"})
}

// TestVanished: a node that somebody else removes while it is torn down is gone, as the task wants it.
func TestVanished(t *testing.T) {
	t.Parallel()
	i, a := newIronic(t)
	a.OK(t, true, nodeName, args{"name": "vanished", "driver": openstacktest.IronicDriver, "provision_state": "active"})
	c := clientOf(t, i, 20)
	a.Answer = func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/states/provision") {
			return false
		}
		a.Answer = nil
		if err := c.Nodes.SetMaintenance(t.Context(), "vanished", ""); err != nil {
			t.Error(err)
		}
		if err := c.Nodes.Delete(t.Context(), "vanished"); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"The requested action \\\"deleted\\\" can not be performed\"}"}`)
		return true
	}
	if out := a.Task(t, nodeName, args{"name": "vanished", "state": "absent", "undeploy": true}); out["failed"] != nil || out["changed"] != false {
		t.Errorf("%v", out)
	}
}

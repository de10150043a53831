package iotronic_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/iotronic"
)

// TestDetect: the server says what it is, and is asked once.
func TestDetect(t *testing.T) {
	t.Parallel()
	for era, want := range map[iotronictest.Era]iotronic.Dialect{
		iotronictest.Nodes2016: iotronic.DialectNodes2016, iotronictest.Nodes2017: iotronic.DialectNodes, iotronictest.Boards2019: iotronic.DialectBoards,
	} {
		s, c := newIotronic(t, era)
		for range 2 {
			if got, err := c.Dialect(t.Context()); err != nil || got != want {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		}
		var paths []string
		for _, r := range s.Requests() {
			paths = append(paths, r.Path+" "+r.Version)
		}
		wantPaths := []string{"/v1 ", "/ "} // without a version, so that no version is wrong
		if want == iotronic.DialectBoards {
			wantPaths = wantPaths[:1]
		}
		if diff := cmp.Diff(wantPaths, paths); diff != "" {
			t.Errorf("%v: %s", want, diff)
		}
	}
	// Behind a path its root is there too.
	prefixed := httptest.NewServer(http.StripPrefix("/things", iotronictest.New(iotronictest.Nodes2016, iotronictest.NoAuth())))
	t.Cleanup(prefixed.Close)
	if got, err := newClient(t, prefixed.URL+"/things").Dialect(t.Context()); err != nil || got != iotronic.DialectNodes2016 {
		t.Errorf("behind a path: %v, %v", got, err)
	}
	_, c := newIronic(t)
	if got, err := c.Dialect(t.Context()); err != nil || got != iotronic.DialectIronic {
		t.Errorf("%v, %v", got, err)
	}
}

// TestDetectMany: many who ask at once make one question.
func TestDetectMany(t *testing.T) {
	t.Parallel()
	s, c := newIotronic(t, iotronictest.Boards2019)
	done := make(chan error)
	for range 10 {
		go func() { done <- second(c.Boards.List(t.Context(), iotronic.BoardListOptions{})) }()
	}
	for range 10 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := len(s.Requests()); n != 11 {
		t.Errorf("%d requests", n)
	}
}

// TestNoDialect: a server that is none of them is an error that says so, and it is asked again next time.
func TestNoDialect(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"id": "v1", "clouds": []}`:     "neither nodes nor boards",
		`<html>`:                         "not JSON",
		`{"nodes": []}`:                  "which Iotronic",
		`{"id": "v1", "links": [], "x"}`: "not JSON",
	} {
		mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectAuto))
		mux.HandleFunc("/v1", always(200, body))
		for range 2 {
			_, err := c.Nodes.List(t.Context(), iotronic.NodeListOptions{})
			var de *iotronic.DialectError
			if !errors.As(err, &de) || !strings.Contains(err.Error(), want) || !iotronic.IsWrongDialect(err) {
				t.Errorf("%s: %v", body, err)
			}
		}
	}
	mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectAuto))
	mux.HandleFunc("/v1", always(http.StatusServiceUnavailable, "{}"))
	if _, err := c.Dialect(t.Context()); iotronic.StatusOf(err) != 503 {
		t.Errorf("error %v", err)
	}
}

// TestForeign: what a dialect does not have is refused before it is sent, and is not "not found".
func TestForeign(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	_, ironic := newIronic(t)
	_, n16 := newIotronic(t, iotronictest.Nodes2016)
	_, n17 := newIotronic(t, iotronictest.Nodes2017)
	_, b19 := newIotronic(t, iotronictest.Boards2019)
	for want, err := range map[string]error{
		"cannot list boards: Ironic does not":                           second(ironic.Boards.List(ctx, iotronic.BoardListOptions{})),
		"cannot read a board: Ironic does not":                          second(ironic.Boards.Get(ctx, "x")),
		"cannot create a board: Ironic does not":                        second(ironic.Boards.Create(ctx, iotronic.BoardCreate{})),
		"cannot list the plugins of a board: Ironic does not":           second(ironic.Boards.Plugins(ctx, "x")),
		"cannot list the boards of a fleet: Ironic does not":            second(ironic.Fleets.Boards(ctx, "x")),
		"cannot list drivers: Iotronic of 2016 does not":                second(n16.Drivers.List(ctx, iotronic.DriverListOptions{})),
		"cannot read a driver: Iotronic does not":                       second(b19.Drivers.Get(ctx, "x")),
		"cannot change a node: Iotronic of 2016 does not":               second(n16.Nodes.Update(ctx, uuid, iotronic.Changes{"name": "x"})),
		"cannot list nodes: Iotronic does not":                          second(b19.Nodes.List(ctx, iotronic.NodeListOptions{})),
		"cannot list fleets: Iotronic of early 2017 does not":           second(n17.Fleets.List(ctx, iotronic.FleetListOptions{})),
		"cannot delete a node: Iotronic does not":                       b19.Nodes.Delete(ctx, "x"),
		"cannot set the power state of a node: Iotronic of early":       n17.Nodes.SetPower(ctx, "x", iotronic.PowerOn),
		"cannot set the provision state of a node: Iotronic of 2016":    n16.Nodes.SetProvision(ctx, "x", iotronic.Provision{Target: "active"}),
		"cannot set the maintenance of a node: Iotronic of early 2017":  n17.Nodes.SetMaintenance(ctx, "x", ""),
		"cannot clear the maintenance of a node: Iotronic does not":     b19.Nodes.ClearMaintenance(ctx, "x"),
		"cannot list enabled webservices: Iotronic of 2016 does not":    second(n16.EnabledWebservices.List(ctx)),
		"cannot read the states of a node: Iotronic of 2016 does not":   n16.Nodes.WaitPower(ctx, "x", iotronic.PowerOn),
		"cannot validate a node: Iotronic of early 2017 does not":       second(n17.Nodes.Validate(ctx, "x")),
		"cannot list ports: Iotronic of early 2017 does not have that":  second(n17.Nodes.Ports(ctx, "x")),
		"cannot read the properties of a driver: Iotronic of 2016 does": second(n16.Drivers.Properties(ctx, "x")),
	} {
		var de *iotronic.DialectError
		if !errors.As(err, &de) || !strings.Contains(err.Error(), want) || iotronic.IsNotFound(err) || !iotronic.IsWrongDialect(err) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	// Filters and attributes too; and a wrong dialect that was set.
	for want, err := range map[string]error{
		"driver cannot be given: Iotronic of early 2017":        second(n17.Nodes.List(ctx, iotronic.NodeListOptions{Driver: "x"})),
		"project cannot be given: Ironic":                       second(ironic.Nodes.List(ctx, iotronic.NodeListOptions{Project: "x"})),
		"fields cannot be given: Iotronic of 2016":              second(n16.Nodes.List(ctx, iotronic.NodeListOptions{Fields: []string{"name"}})),
		"code cannot be given: Ironic":                          second(ironic.Nodes.Create(ctx, iotronic.NodeCreate{Code: "c"})),
		"driver_info cannot be given: Iotronic of 2016":         second(n16.Nodes.Create(ctx, iotronic.NodeCreate{DriverInfo: iotronic.Object{"a": nil}})),
		"fields cannot be given: Iotronic of 2016 does not":     second(n16.Nodes.Get(ctx, uuid, "name")),
		"fields cannot be given: details are all fields":        second(b19.Boards.List(ctx, iotronic.BoardListOptions{Detail: true, Fields: []string{"name"}})),
		"detail cannot be given: Iotronic does not have it":     second(b19.Ports.List(ctx, iotronic.PortListOptions{Detail: true})),
		"provision_state cannot be given: Iotronic of 2016 doe": second(n16.Nodes.List(ctx, iotronic.NodeListOptions{ProvisionState: "active"})),
	} {
		var ae *iotronic.InvalidAttributeError
		if !errors.As(err, &ae) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestWrongDialect: a dialect that was set wrongly shows, as a route that is not there (§6, 6), or as the other
// service's answer: nodes of a real Ironic must not look as if they had no names.
func TestWrongDialect(t *testing.T) {
	t.Parallel()
	s := iotronictest.Start(t, iotronictest.Boards2019)
	wrong := as(t, s, iotronictest.Admin, iotronic.WithDialect(iotronic.DialectNodes))
	i, _ := newIronic(t)
	for _, err := range []error{
		second(wrong.Nodes.List(t.Context(), iotronic.NodeListOptions{})),
		second(wrong.Nodes.Get(t.Context(), uuid)),
		second(newClient(t, i.URL, iotronic.WithDialect(iotronic.DialectBoards)).Boards.Get(t.Context(), uuid)),
	} {
		var nf *iotronic.NotFoundError
		if !errors.As(err, &nf) || !nf.Foreign || iotronic.IsNotFound(err) || !iotronic.IsWrongDialect(err) || !strings.Contains(err.Error(), "which dialect") {
			t.Errorf("error %v", err)
		}
	}
	for _, dialect := range []iotronic.Dialect{iotronic.DialectNodes, iotronic.DialectNodes2016} {
		c := newClient(t, i.URL, iotronic.WithDialect(dialect))
		err := second(c.Nodes.List(t.Context(), iotronic.NodeListOptions{}))
		if !is[*iotronic.DialectError](err) || !iotronic.IsWrongDialect(err) || !wording.Has(err.Error(), "dialect ... "+dialect.String()+" ... Ironic; set ") {
			t.Errorf("error %v", err)
		}
	}
}

func TestDialectNames(t *testing.T) {
	t.Parallel()
	for d := iotronic.DialectAuto; d <= iotronic.DialectBoards; d++ {
		if got, err := iotronic.ParseDialect(d.String()); err != nil || got != d {
			t.Errorf("%v: %v, %v", d, got, err)
		}
	}
	if d, err := iotronic.ParseDialect(""); err != nil || d != iotronic.DialectAuto {
		t.Errorf("%v, %v", d, err)
	}
	if _, err := iotronic.ParseDialect("craton"); err == nil || !strings.Contains(err.Error(), "auto, ironic, iotronic-nodes-2016, iotronic-nodes, iotronic-boards") {
		t.Errorf("error %v", err)
	}
	if got := iotronic.Dialect(9).String(); got != "Dialect(9)" {
		t.Error(got)
	}
}

package iotronic_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/iotronic"
)

var somewhere = []iotronic.Location{{Longitude: "15.5", Latitude: "38.1", Altitude: "10"}}

// bodies are those that were sent with a method.
func bodies(s *iotronictest.Server, method string) []string {
	var sent []string
	for _, r := range s.Requests() {
		if r.Method == method {
			sent = append(sent, r.Body)
		}
	}
	return sent
}

// TestBoards: a board's life.
func TestBoards(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := iotronictest.Start(t, iotronictest.Boards2019)
	c := as(t, s, iotronictest.Manager)
	b, err := c.Boards.Create(ctx, iotronic.BoardCreate{
		Code: "c1", Name: "pi-01", Type: "server", Location: somewhere, Extra: iotronic.Values(map[string]any{"rack": "b7", "big": uint64(18446744073709551615)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.Status != "registered" || b.Owner != iotronictest.Manager.ID || b.Project != iotronictest.Manager.Project || b.Fleet != "" || b.Mobile ||
		b.Location[0].Longitude != "15.5" || string(b.Extra["big"]) != "18446744073709551615" || b.CreatedAt.IsZero() || !b.UpdatedAt.IsZero() {
		t.Errorf("created %+v", b)
	}
	for _, id := range []string{"pi-01", b.UUID} {
		got, err := c.Boards.Get(ctx, id)
		if err != nil || got.UUID != b.UUID {
			t.Errorf("%s: %v, %v", id, got, err)
		}
	}
	few, err := c.Boards.Get(ctx, "pi-01", "type")
	if err != nil || few.Type != "server" || few.UUID != b.UUID || few.Code != "" || few.Fields["code"] != nil || len(few.Links) != 2 {
		t.Errorf("fields: %+v, %v", few, err)
	}

	// A change is an object; what is inside an attribute is merged into it.
	changed, err := c.Boards.Update(ctx, "pi-01", iotronic.Changes{
		"type": "gateway", "/extra/rack": "c9", "extra/new/deep": []int{1}, "extra/big": iotronic.Remove, "extra/none/deep": iotronic.Remove, "fleet": nil,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"extra":{"new":{"deep":[1]},"rack":"c9"},"fleet":null,"type":"gateway"}`
	if diff := cmp.Diff([]string{want}, bodies(s, "PATCH")); diff != "" || changed.Type != "gateway" || changed.Extra.Text("rack") != "c9" {
		t.Errorf("%+v: %s", changed, diff)
	}
	if _, err := c.Boards.Update(ctx, "pi-01", iotronic.Changes{"type/x": 1}); !is[*iotronic.ValidationError](err) || !strings.Contains(err.Error(), "type/x: ") {
		t.Errorf("error %v", err)
	}
	// Only what is at the top needs no reading before.
	before := len(s.Requests())
	if _, err := c.Boards.Update(ctx, b.UUID, iotronic.Changes{"name": "pi-02", "type": iotronic.Remove}); err != nil {
		t.Error(err)
	}
	if n := len(s.Requests()) - before; n != 1 {
		t.Errorf("%d requests", n)
	}
	if got, err := c.Boards.Get(ctx, "pi-02"); err != nil || got.Type != "" {
		t.Errorf("%+v, %v", got, err)
	}

	// What goes wrong, goes wrong in its own way.
	for name, tt := range map[string]struct {
		err error
		is  func(error) bool
	}{
		"taken":     {second(c.Boards.Create(ctx, iotronic.BoardCreate{Code: "c1", Name: "x", Location: somewhere})), iotronic.IsConflict},
		"bad name":  {second(c.Boards.Create(ctx, iotronic.BoardCreate{Code: "c2", Name: "X Y", Location: somewhere})), iotronic.IsBadRequest},
		"no place":  {second(c.Boards.Create(ctx, iotronic.BoardCreate{Code: "c2", Name: "x"})), iotronic.IsBadRequest},
		"unknown":   {second(c.Boards.Create(ctx, iotronic.BoardCreate{Code: "c2", Name: "x", Location: somewhere, More: iotronic.Values(map[string]any{"uuid": uuid})})), is[*iotronic.BadRequestError]},
		"admin":     {second(as(t, s, iotronictest.Admin).Boards.Create(ctx, iotronic.BoardCreate{Code: "c2", Name: "x", Location: somewhere})), iotronic.IsForbidden}, // §6, 10
		"member":    {as(t, s, iotronictest.Member).Boards.Delete(ctx, b.UUID), is[*iotronic.ForbiddenError]},
		"no token":  {second(as(t, s, iotronictest.User{}).Boards.Get(ctx, b.UUID)), iotronic.IsUnauthenticated},
		"not there": {second(c.Boards.Get(ctx, uuid)), iotronic.IsNotFound},
		"uuid":      {second(c.Boards.Update(ctx, b.UUID, iotronic.Changes{"uuid": uuid})), iotronic.IsBadRequest},
	} {
		if !tt.is(tt.err) {
			t.Errorf("%s: %v", name, tt.err)
		}
	}
	if err := c.Boards.Delete(ctx, "pi-02"); err != nil {
		t.Error(err)
	}
	if err := c.Boards.Delete(ctx, b.UUID); !iotronic.IsNotFound(err) {
		t.Errorf("error %v", err)
	}
}

// TestTwins: a name that several boards have is an error that names them (§6, 8).
func TestTwins(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, c := newIotronic(t, iotronictest.Boards2019)
	one := s.Add("boards", iotronictest.Object{"name": "twin", "code": "1"})
	two := s.Add("boards", iotronictest.Object{"name": "twin", "code": "2"})
	s.Add("boards", iotronictest.Object{"name": "other", "code": "3"})
	hidden := s.Add("boards", iotronictest.Object{"name": "twin", "code": "4", "project": iotronictest.Stranger.Project})
	for verb, err := range map[string]error{
		"get":    second(c.Boards.Get(ctx, "twin")),
		"update": second(c.Boards.Update(ctx, "twin", iotronic.Changes{"extra/a": 1})),
		"delete": c.Boards.Delete(ctx, "twin"),
		"ports":  second(c.Boards.Ports(ctx, "twin")),
	} {
		var several *iotronic.NoUniqueMatchError
		if !errors.As(err, &several) || !slices.Equal(several.Candidates, []string{one, two}) || several.Name != "twin" || iotronic.StatusOf(err) != 500 {
			t.Errorf("%s: %v", verb, err)
		}
		if want := `"twin" ... ` + one + ", " + two + " ... UUID"; !wording.Has(err.Error(), want) || strings.Contains(err.Error(), hidden) {
			t.Errorf("%s: %v", verb, err)
		}
	}

	// In 2016 a server found no names at all; the client looks itself.
	s, c = newIotronic(t, iotronictest.Nodes2016)
	one = s.Add("nodes", iotronictest.Object{"name": "twin", "code": "1"})
	two = s.Add("nodes", iotronictest.Object{"name": "twin", "code": "2"})
	single := s.Add("nodes", iotronictest.Object{"name": "single", "code": "3"})
	var several *iotronic.NoUniqueMatchError
	if err := c.Nodes.Delete(ctx, "twin"); !errors.As(err, &several) || !slices.Equal(several.Candidates, []string{one, two}) {
		t.Errorf("error %v", err)
	}
	if n, err := c.Nodes.Get(ctx, "single"); err != nil || n.UUID != single {
		t.Errorf("%v, %v", n, err)
	}
	if _, err := c.Nodes.Get(ctx, "nothing"); !iotronic.IsNotFound(err) || !wording.Has(err.Error(), "node ... nothing") {
		t.Errorf("error %v", err)
	}
}

// TestOldNodesLife: what nodes of Iotronic can do.
func TestOldNodesLife(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	create := iotronic.NodeCreate{Code: "c1", Name: "yun", Type: "arduino", Location: somewhere}
	s, c := newIotronic(t, iotronictest.Nodes2016)
	n, err := c.Nodes.Create(ctx, create)
	if err != nil || n.Type != "arduino" || n.Status != "operative" {
		t.Errorf("%+v, %v", n, err)
	}
	want := `{"code":"c1","device":"arduino","location":[{"altitude":"10","latitude":"38.1","longitude":"15.5"}],"name":"yun"}`
	got := strings.ReplaceAll(bodies(s, "POST")[0], `{"longitude":"15.5","latitude":"38.1","altitude":"10"}`, `{"altitude":"10","latitude":"38.1","longitude":"15.5"}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := c.Nodes.Delete(ctx, "yun"); err != nil {
		t.Error(err)
	}

	s, c = newIotronic(t, iotronictest.Nodes2017)
	if n, err = c.Nodes.Create(ctx, create); err != nil || n.Type != "arduino" || n.Status != "registered" {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err = c.Nodes.Update(ctx, "yun", iotronic.Changes{"extra/a": 1}); err != nil || string(n.Extra["a"]) != "1" {
		t.Errorf("%+v, %v", n, err)
	}
	if diff := cmp.Diff([]string{`{"extra":{"a":1}}`}, bodies(s, "PATCH")); diff != "" {
		t.Error(diff)
	}
	for p, err := range c.Plugins.All(ctx, iotronic.PluginListOptions{}) {
		t.Errorf("%v, %v", p, err)
	}
}

// TestCollections: all that Iotronic has beside boards, for reading.
func TestCollections(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, c := newIotronic(t, iotronictest.Boards2019)
	add := func(collection string, o iotronictest.Object) string { return s.Add(collection, o) }
	fleet := add("fleets", iotronictest.Object{"name": "roofs", "description": "on roofs"})
	board := add("boards", iotronictest.Object{"name": "pi-01", "code": "1", "fleet": fleet, "status": "online"})
	add("boards", iotronictest.Object{"name": "pi-02", "code": "2"})
	own := add("plugins", iotronictest.Object{"name": "own", "callable": true})
	add("plugins", iotronictest.Object{"name": "public", "owner": "x", "public": true})
	add("plugins", iotronictest.Object{"name": "secret", "owner": "x"})
	ssh := add("services", iotronictest.Object{"name": "ssh", "port": 22})
	port := add("ports", iotronictest.Object{"board_uuid": board, "MAC_add": "fa:16:3e:00:00:01", "VIF_name": "iot1", "network": "n", "ip": "10.0.0.7"})
	web := add("webservices", iotronictest.Object{"board_uuid": board, "name": "web", "port": 80})
	add("enabledwebservices", iotronictest.Object{"board_uuid": board, "http_port": 50080, "https_port": 50443, "dns": "pi", "zone": "example."})
	add("injections", iotronictest.Object{"board_uuid": board, "plugin": own, "onboot": true})
	add("exposed", iotronictest.Object{"board_uuid": board, "service": ssh, "public_port": 50022})

	check := func(what string, ok bool, of any, err error) {
		t.Helper()
		if err != nil || !ok {
			t.Errorf("%s: %+v, %v", what, of, err)
		}
	}
	fleets, err := names(c.Fleets.All(ctx, iotronic.FleetListOptions{Fields: []string{"name"}}), func(f *iotronic.Fleet) string { return f.Name })
	check("fleets", slices.Equal(fleets, []string{"roofs"}), fleets, err)
	f, err := c.Fleets.Get(ctx, "roofs")
	check("fleet", f != nil && f.Description == "on roofs" && f.Project == iotronictest.Admin.Project, f, err)
	for _, id := range []string{fleet, "roofs"} { // the server finds no boards of a name
		boards, err := c.Fleets.Boards(ctx, id)
		check("boards of "+id, len(boards) == 1 && boards[0].Name == "pi-01" && boards[0].Fleet == fleet, boards, err)
	}
	if _, err := c.Fleets.Boards(ctx, "nothing"); !iotronic.IsNotFound(err) {
		t.Errorf("error %v", err)
	}
	if _, err := c.Fleets.Get(ctx, uuid); !iotronic.IsNotFound(err) || !strings.Contains(err.Error(), "Fleet %(Fleet)s could not be found.") {
		t.Errorf("error %v", err)
	}
	for want, o := range map[string]iotronic.PluginListOptions{
		"own": {}, "own public": {WithPublic: true}, "own public secret": {AllPlugins: true, Detail: true}, "public": {Public: true},
	} {
		got, err := names(c.Plugins.All(ctx, o), func(p *iotronic.Plugin) string {
			if (p.Code != "") != o.Detail {
				t.Errorf("code %q", p.Code)
			}
			return p.Name
		})
		check("plugins "+want, strings.Join(got, " ") == want, got, err)
	}
	if _, err := c.Plugins.List(ctx, iotronic.PluginListOptions{Public: true, Detail: true}); !is[*iotronic.InvalidAttributeError](err) {
		t.Errorf("error %v", err)
	}
	p, err := c.Plugins.Get(ctx, own)
	check("plugin", p != nil && p.Callable && p.Owner == iotronictest.Admin.ID, p, err)
	services, err := c.Services.List(ctx, iotronic.ServiceListOptions{AllServices: true})
	check("services", services != nil && services.Items[0].Port == 22 && services.Items[0].Protocol == "TCP", services, err)
	ports, err := c.Ports.List(ctx, iotronic.PortListOptions{})
	check("ports", ports != nil && ports.Items[0].UUID == port && ports.Items[0].MAC == "fa:16:3e:00:00:01" && ports.Items[0].VIFName == "iot1" && ports.Items[0].Board == board, ports, err)
	webs, err := c.Webservices.List(ctx, iotronic.WebserviceListOptions{})
	check("webservices", webs != nil && webs.Items[0].UUID == web && webs.Items[0].Secure && webs.Items[0].Board == board, webs, err)
	enabled, err := c.EnabledWebservices.List(ctx)
	check("enabled", len(enabled) == 1 && enabled[0].HTTPSPort == 50443 && enabled[0].Zone == "example.", enabled, err)

	injections, err := c.Boards.Plugins(ctx, "pi-01")
	check("injections", len(injections) == 1 && injections[0].Plugin == own && injections[0].OnBoot && injections[0].Status == "injected", injections, err)
	exposed, err := c.Boards.Services(ctx, board)
	check("exposed", len(exposed) == 1 && exposed[0].PublicPort == 50022 && exposed[0].Service == ssh && !exposed[0].CreatedAt.IsZero(), exposed, err)
	boardPorts, err := c.Boards.Ports(ctx, board)
	check("ports of a board", len(boardPorts) == 1 && boardPorts[0].IP == "10.0.0.7", boardPorts, err)
	boardWebs, err := c.Boards.Webservices(ctx, board)
	check("webservices of a board", len(boardWebs) == 1 && boardWebs[0].Name == "web", boardWebs, err)
	if _, err := c.Boards.Plugins(ctx, uuid); !iotronic.IsNotFound(err) {
		t.Errorf("error %v", err)
	}
	if s.Restored() != 0 {
		t.Error("reading has restored services (§6, 8)")
	}

	// A list that cannot be read in pages is never cut without a word.
	small, c := newIotronic(t, iotronictest.Boards2019, iotronictest.MaxLimit(1))
	small.Add("enabledwebservices", iotronictest.Object{})
	if _, err := c.EnabledWebservices.List(ctx); !is[*iotronic.ResponseError](err) || !strings.Contains(err.Error(), "first page") {
		t.Errorf("error %v", err)
	}
}

// TestDo: what the typed methods do not cover.
func TestDo(t *testing.T) {
	t.Parallel()
	s, c := newIotronic(t, iotronictest.Boards2019)
	board := s.Add("boards", iotronictest.Object{"name": "a", "code": "1"})
	resp, err := c.Do(t.Context(), http.MethodGet, "/boards/"+board, nil, nil)
	if err != nil || resp.Status != 200 || !strings.Contains(string(resp.Body), board) || resp.Header.Get("Openstack-Request-Id") == "" {
		t.Errorf("%+v, %v", resp, err)
	}
	_, err = c.Do(t.Context(), http.MethodPut, "/boards/"+board+"/plugins", nil, map[string]string{"plugin": "p"})
	if !iotronic.IsBadRequest(err) || !strings.Contains(err.Error(), "is not connected") {
		t.Errorf("error %v", err)
	}
}

package iotronic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
)

// Dialect is the API of a server.
type Dialect int

// The dialects (reference §0).
const (
	DialectAuto      Dialect = iota // the server is asked
	DialectIronic                   // Ironic: nodes and drivers
	DialectNodes2016                // Iotronic of 2016: nodes with a device, which cannot be changed
	DialectNodes                    // Iotronic of early 2017: nodes with a type
	DialectBoards                   // Iotronic since March 2017: boards, fleets, plugins, services
)

// traits describes a dialect.
type traits struct {
	name      string   // of the setting
	title     string   // in messages
	header    string   // X-OpenStack-HEADER-API-Version
	wanted    Version  // the latest version that this client supports
	resources []string // its collections
	fields    bool     // lists and objects accept a selection of fields
	detail    bool     // lists have a detailed form
	byName    bool     // objects can be found by name too
	update    wireForm
}

// wireForm is the format of a change (reference §6, 3): each server refuses the other's.
type wireForm int

const (
	immutable wireForm = iota
	jsonPatch
	plainObject
)

var dialects = []traits{
	DialectAuto: {name: "auto", title: "the server"},
	DialectIronic: {
		name: "ironic", title: "Ironic", header: "Ironic", wanted: Version{1, 115},
		resources: []string{"nodes", "drivers", "ports", "chassis", "allocations", "portgroups", "volume/connectors", "volume/targets", "deploy_templates", "runbooks"},
		fields:    true, detail: true, byName: true, update: jsonPatch,
	},
	DialectNodes2016: {
		name: "iotronic-nodes-2016", title: "Iotronic of 2016", header: "Iotronic", wanted: Version{1, 0},
		resources: []string{"nodes"},
	},
	DialectNodes: {
		name: "iotronic-nodes", title: "Iotronic of early 2017", header: "Iotronic", wanted: Version{1, 0},
		resources: []string{"nodes", "plugins"},
		fields:    true, detail: true, byName: true, update: plainObject,
	},
	DialectBoards: {
		name: "iotronic-boards", title: "Iotronic", header: "Iotronic", wanted: Version{1, 0},
		resources: []string{"boards", "fleets", "plugins", "services", "ports", "webservices", "enabledwebservices"},
		fields:    true, detail: true, byName: true, update: plainObject,
	},
}

func (d Dialect) traits() *traits { return &dialects[d] }

// String returns the name that [ParseDialect] parses: auto, ironic, iotronic-nodes-2016, iotronic-nodes,
// iotronic-boards.
func (d Dialect) String() string {
	if d < 0 || int(d) >= len(dialects) {
		return fmt.Sprintf("Dialect(%d)", int(d))
	}
	return dialects[d].name
}

// ParseDialect parses a dialect's name; "" is auto.
func ParseDialect(name string) (Dialect, error) {
	names := make([]string, len(dialects))
	for d := range dialects {
		if names[d] = dialects[d].name; names[d] == name {
			return Dialect(d), nil
		}
	}
	if name == "" {
		return DialectAuto, nil
	}
	return DialectAuto, invalid("there is no dialect %q; there are %s", name, strings.Join(names, ", "))
}

// Versions: the names of headers of a dialect (reference §1.4).
func (t *traits) versionHeader() string { return "X-OpenStack-" + t.header + "-API-Version" }

// foreign returns the service whose version a response has, if that is not the dialect's own: it has the same routes,
// but behaves like its first version, so that names and more would be silently missing (reference §1.5).
func (t *traits) foreign(h http.Header) string {
	for i := range dialects {
		if other := &dialects[i]; other.header != "" && other.header != t.header && h.Get(t.versionHeader()) == "" && h.Get(other.versionHeader()) != "" {
			return other.header
		}
	}
	return ""
}

// versionRange reads the versions that a server supports from a response; false if it has none.
func (t *traits) versionRange(h http.Header) (least, most Version, ok bool) {
	least, ok1 := parseVersion(h.Get("X-OpenStack-" + t.header + "-API-Minimum-Version"))
	most, ok2 := parseVersion(h.Get("X-OpenStack-" + t.header + "-API-Maximum-Version"))
	return least, most, ok1 && ok2
}

// detect detects a server's dialect: GET /v1 needs no token, and accepts any request without a version header.
func detect(ctx context.Context, rc *rest.Client) (Dialect, *rest.Response, error) {
	resp, err := rc.Do(ctx, &rest.Request{Method: http.MethodGet})
	if bad, ok := errors.AsType[*rest.BadResponseError](err); ok {
		return DialectAuto, nil, unknownServer("of its /v1, " + bad.Error())
	}
	if err != nil {
		return DialectAuto, nil, sendError(err)
	}
	if !resp.OK() {
		return DialectAuto, nil, errorOf(resp, http.MethodGet, nil)
	}
	has := func(name string) bool { return gjson.GetBytes(resp.Body, name).Exists() }
	switch {
	case has("drivers"):
		return DialectIronic, resp, nil
	case has("boards"):
		return DialectBoards, resp, nil
	case !has("nodes"):
		return DialectAuto, nil, unknownServer("its /v1 names neither nodes nor boards")
	}
	return nodesEra(ctx, rc, resp)
}

// nodesEra distinguishes the two servers with nodes and without drivers: only the root of the later one has numbered
// versions (reference §2.1).
func nodesEra(ctx context.Context, rc *rest.Client, v1 *rest.Response) (Dialect, *rest.Response, error) {
	root, err := rc.Do(ctx, &rest.Request{Method: http.MethodGet, Above: true})
	if bad, ok := errors.AsType[*rest.BadResponseError](err); ok {
		root = bad.Response
	} else if err != nil {
		return DialectAuto, nil, sendError(err)
	}
	first := gjson.GetBytes(root.Body, "versions.0")
	switch {
	case !root.OK() || !first.IsObject():
		return DialectAuto, nil, unknownServer("it has nodes and no drivers, and its root does not tell which Iotronic it is")
	case first.Get("min_version").Exists():
		return DialectNodes, v1, nil
	}
	return DialectNodes2016, v1, nil
}

func unknownServer(why string) error {
	return &DialectError{Operation: "find out", Err: errors.New(why)}
}

// need refuses what the dialect does not have, before it is sent.
func (d Dialect) need(resource, operation string) error {
	if !slices.Contains(d.traits().resources, resource) {
		return &DialectError{Dialect: d, Operation: operation}
	}
	return nil
}

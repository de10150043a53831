package iotronic

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/tidwall/gjson"

	"github.com/craton-fleet/craton/internal/rest"
)

// Versions of Ironic's API that introduced parts of a node.
var (
	nodeVIFs     = map[string]Version{"virtual interfaces of nodes": {1, 28}}
	nodeBIOS     = map[string]Version{"BIOS settings of nodes": {1, 40}}
	wholeBIOS    = map[string]Version{"details of BIOS settings": {1, 74}}
	nodeHistory  = map[string]Version{"the history of nodes": {1, 78}}
	nodeFirmware = map[string]Version{"the firmware of nodes": {1, 86}}
)

// list reads a list of parts of a node of Ironic, to its end.
func (s *NodeService) list(ctx context.Context, operation, id, below, key string, query url.Values, needs map[string]Version) ([]Object, error) {
	all := []Object{}
	for marker := ""; ; {
		q := url.Values{}
		for name, values := range query {
			q[name] = values
		}
		if marker != "" {
			q.Set("marker", marker)
		}
		var page Object
		if err := s.ironic(ctx, operation, id, &call{Request: rest.Request{Method: http.MethodGet, Query: q}, needs: needs}, below, &page); err != nil {
			return nil, err
		}
		var items []Object
		if err := json.Unmarshal(page[key], &items); err != nil {
			return nil, &ResponseError{Method: http.MethodGet, Path: "/nodes/" + id + below, Err: err}
		}
		all = append(all, items...)
		next := ""
		if len(items) > 0 && gjson.ParseBytes(page["next"]).Type == gjson.String {
			next = items[len(items)-1].Text("uuid")
		}
		if next == "" || next == marker {
			return all, nil
		}
		marker = next
	}
}

// VIFs reads the ids of the virtual interfaces that are attached to a node, such as ports of Neutron.
func (s *NodeService) VIFs(ctx context.Context, id string) (ids []string, err error) {
	vifs, err := s.list(ctx, "list the virtual interfaces of a node", id, "/vifs", "vifs", nil, nodeVIFs)
	for _, v := range vifs {
		ids = append(ids, v.Text("id"))
	}
	return ids, err
}

// AttachVIF attaches a virtual interface to a node: Ironic chooses the port, or port group, unless more has port_uuid
// or portgroup_uuid (1.67).
func (s *NodeService) AttachVIF(ctx context.Context, id, vif string, more Object) error {
	body, needs := Values(map[string]any{"id": vif}), map[string]Version{"virtual interfaces of nodes": {1, 28}}
	for key, value := range more {
		if body[key] = value; key == "port_uuid" || key == "portgroup_uuid" {
			needs[key] = Version{1, 67}
		}
	}
	return s.ironic(ctx, "attach a virtual interface to a node", id, &call{Request: rest.Request{Method: http.MethodPost, Body: body, Once: true}, needs: needs}, "/vifs", nil)
}

// DetachVIF detaches a virtual interface from a node.
func (s *NodeService) DetachVIF(ctx context.Context, id, vif string) error {
	const operation = "detach a virtual interface from a node"
	el, err := element(operation, "id", vif)
	if err != nil {
		return err
	}
	return s.ironic(ctx, operation, id, &call{Request: rest.Request{Method: http.MethodDelete}, needs: nodeVIFs}, "/vifs/"+el, nil)
}

// BIOSSettings reads the BIOS settings of a node that Ironic knows: each with its name and value, or with whole with
// all details.
func (s *NodeService) BIOSSettings(ctx context.Context, id string, whole bool) ([]Object, error) {
	const operation = "list the BIOS settings of a node"
	if whole {
		return s.list(ctx, operation, id, "/bios", "bios", url.Values{"detail": {"True"}}, wholeBIOS)
	}
	return s.list(ctx, operation, id, "/bios", "bios", nil, nodeBIOS)
}

// BIOSSetting reads one BIOS setting of a node; the error is IsNotFound if there is none.
func (s *NodeService) BIOSSetting(ctx context.Context, id, name string) (setting Object, err error) {
	const operation = "read a BIOS setting of a node"
	el, err := element(operation, "name", name)
	if err != nil {
		return nil, err
	}
	var out Object
	if err := s.get(ctx, operation, id, "/bios/"+el, nodeBIOS, &out); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out[name], &setting); err != nil {
		return nil, &ResponseError{Method: http.MethodGet, Path: "/nodes/" + id + "/bios/" + el, Err: err}
	}
	return setting, nil
}

// History reads the history of a node, mostly errors: each event with its uuid, created_at, severity and event, or with
// whole with all details.
func (s *NodeService) History(ctx context.Context, id string, whole bool) ([]Object, error) {
	var q url.Values
	if whole {
		q = url.Values{"detail": {"True"}}
	}
	return s.list(ctx, "list the history of a node", id, "/history", "history", q, nodeHistory)
}

// HistoryEvent reads one event of the history of a node, by its UUID.
func (s *NodeService) HistoryEvent(ctx context.Context, id, event string) (out Object, err error) {
	const operation = "read an event of a node"
	el, err := element(operation, "UUID", event)
	if err != nil {
		return nil, err
	}
	err = s.get(ctx, operation, id, "/history/"+el, nodeHistory, &out)
	return out, err
}

// Firmware reads the components of a node with firmware, with their versions.
func (s *NodeService) Firmware(ctx context.Context, id string) ([]Object, error) {
	return s.list(ctx, "list the firmware of a node", id, "/firmware", "firmware", nil, nodeFirmware)
}

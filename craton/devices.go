package craton

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
)

// Device is the fields that hosts and network devices share.
type Device struct {
	ID         int       `json:"id"`
	Name       string    `json:"name"` // unique in the region, across both kinds
	IPAddress  string    `json:"ip_address"`
	DeviceType string    `json:"device_type"`
	Active     bool      `json:"active"`
	CloudID    int       `json:"cloud_id"`
	RegionID   int       `json:"region_id"`
	CellID     int       `json:"cell_id"`   // 0: in no cell
	ParentID   int       `json:"parent_id"` // 0: no parent; otherwise a device of either kind
	ProjectID  string    `json:"project_id"`
	CreatedAt  Timestamp `json:"created_at"`
	UpdatedAt  Timestamp `json:"updated_at"`
	// Labels are sorted. nil means that the server did not return them: the original never does, craton server does in
	// listings with details (Q15).
	Labels    []string  `json:"labels,omitzero"`
	Links     []Link    `json:"links,omitempty"`    // one, "up": to the parent, or else the cell, or else the region
	Variables Variables `json:"variables,omitzero"` // own or resolved, as requested; nil if the API leaves them out (Q7)
}

// AnyDevice is a device of either kind, as /v1/devices lists them.
type AnyDevice struct {
	Kind Kind `json:"-"`
	Device
	Note      string `json:"note,omitzero"`       // hosts only
	ModelName string `json:"model_name,omitzero"` // network devices only
	OSVersion string `json:"os_version,omitzero"` // network devices only
	VLANs     string `json:"vlans,omitzero"`      // network devices only
}

// DeviceListOptions filter devices; all that are set must match.
type DeviceListOptions struct {
	Paging
	RegionID    int    `query:"region_id"`
	CloudID     int    `query:"cloud_id"`
	CellID      int    `query:"cell_id"`
	ParentID    int    `query:"parent_id"` // direct children, or with Descendants all descendants
	Descendants bool   `query:"descendants"`
	Active      *bool  `query:"active"`
	Details     bool   `query:"details"`         // with variables; sometimes fails on the original (Q8)
	Resolved    *bool  `query:"resolved-values"` // nil and true: resolved variables; false: own
	Where       string `query:"where"`           // such as "label=web name=web-*", for a server with the feature "where"
}

// DeviceService is /v1/devices: the listing of both kinds together. Hosts and NetworkDevices do the rest.
type DeviceService struct {
	Lister[AnyDevice, DeviceListOptions]
}

func newDeviceService(c *Client) *DeviceService {
	s := &DeviceService{Lister[AnyDevice, DeviceListOptions]{
		client: c, path: "/devices", key: "devices", id: func(o *AnyDevice) string { return strconv.Itoa(o.ID) },
		decode: decodeDevices(unmarshalList[AnyDevice], func(o *AnyDevice, kind Kind) { o.Kind = kind }),
	}}
	s.reason = func(ctx context.Context, q url.Values) error {
		// The original returns 500 for descendants without a parent (Q5).
		if !q.Has("parent_id") || !isTrue(q, "descendants") {
			return nil
		}
		id, _ := strconv.Atoi(q.Get("parent_id"))
		_, err := c.Hosts.Get(ctx, id)
		if IsNotFound(err) {
			_, err = c.NetworkDevices.Get(ctx, id)
		}
		if IsNotFound(err) {
			return err
		}
		return nil
	}
	return s
}

// decodeDevices reads {"hosts": [...], "network-devices": [...]} (Q16): hosts first, as the server's sorted keys have
// it. read reads each of the lists, is sets an object's kind.
func decodeDevices[T any](read func(list []byte) ([]*T, error), is func(*T, Kind)) func(body []byte) ([]*T, error) {
	return func(body []byte) ([]*T, error) {
		var all []*T
		for _, part := range []struct {
			key  string
			kind Kind
		}{{"hosts", KindHost}, {"network-devices", KindNetworkDevice}} {
			list, err := member(body, part.key)
			if err != nil {
				return nil, err
			}
			items, err := read(list)
			if err != nil {
				return nil, err
			}
			for _, d := range items {
				is(d, part.kind)
			}
			all = append(all, items...)
		}
		return all, nil
	}
}

// deviceTaken reports whether another device of either kind in the region has the name: names of hosts and network
// devices must be unique together (v1 contract §6.2).
func deviceTaken(ctx context.Context, c *Client, want *Device) bool {
	hosts := HostListOptions{Name: want.Name, RegionID: want.RegionID}
	others := NetworkDeviceListOptions{Name: want.Name, RegionID: want.RegionID}
	return anyOther(c.Hosts.All(ctx, hosts), func(o *Host) bool { return o.ID != want.ID && sameName(o.Name, want.Name) }) ||
		anyOther(c.NetworkDevices.All(ctx, others), func(o *NetworkDevice) bool { return o.ID != want.ID && sameName(o.Name, want.Name) })
}

// deviceInUse finds the children of a device, which prevent its deletion (v1 contract §6.3).
func deviceInUse(ctx context.Context, c *Client, id int) string {
	children, err := c.Devices.List(ctx, DeviceListOptions{ParentID: id})
	if err != nil || len(children.Items) == 0 {
		return ""
	}
	first := children.Items[0]
	text := fmt.Sprintf("it is the parent of %s %d (%s)", first.Kind, first.ID, first.Name)
	if len(children.Items) > 1 {
		text += " and of others"
	}
	return text
}

// findHiddenCreate determines what the original's 404 for a new device means (Q12): its parent belongs to another
// project, so the link to the parent cannot be made. The device exists nevertheless, and as long as it does, all
// listings of the caller fail with 404, which the newest page shows. Its id cannot be determined.
func findHiddenCreate(ctx context.Context, c *Client, parent int) string {
	if parent == 0 {
		return ""
	}
	newest := DeviceListOptions{Paging: Paging{Limit: MinLimit, SortKeys: []string{"id"}, SortDir: "desc"}}
	if _, err := c.Devices.List(ctx, newest); !IsNotFound(err) {
		return ""
	}
	return fmt.Sprintf("the device was created nevertheless: its parent %d belongs to another project, and listings fail with 404 until an admin, who sees all projects, detaches or deletes it", parent)
}

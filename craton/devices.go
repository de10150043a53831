package craton

import (
	"encoding/json"
	"strconv"

	"github.com/tidwall/gjson"
)

// Kind tells the two kinds of devices apart.
type Kind string

// The kinds of devices. Their ids share one sequence.
const (
	KindHost          Kind = "host"
	KindNetworkDevice Kind = "network-device"
)

// Device is what hosts and network devices have in common.
type Device struct {
	ID         int       `json:"id"`
	Name       string    `json:"name"` // unique in the region, across both kinds
	IPAddress  string    `json:"ip_address"`
	DeviceType string    `json:"device_type"`
	Active     bool      `json:"active"`
	CloudID    int       `json:"cloud_id"`
	RegionID   int       `json:"region_id"`
	CellID     int       `json:"cell_id"`   // 0: in no cell
	ParentID   int       `json:"parent_id"` // 0: no parent; else a device of either kind
	ProjectID  string    `json:"project_id"`
	CreatedAt  Timestamp `json:"created_at"`
	UpdatedAt  Timestamp `json:"updated_at"`
	// Labels are sorted. nil means that the server did not say: the original never does, craton server
	// does in listings with details (Q15).
	Labels    []string  `json:"labels,omitempty"`
	Links     []Link    `json:"links,omitempty"`     // one, "up": to the parent, else the cell, else the region
	Variables Variables `json:"variables,omitempty"` // own or resolved, as asked; nil where the API leaves them out (Q7)
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
	RegionID    int   `query:"region_id"`
	CloudID     int   `query:"cloud_id"`
	CellID      int   `query:"cell_id"`
	ParentID    int   `query:"parent_id"` // direct children, or with Descendants all below
	Descendants bool  `query:"descendants"`
	Active      *bool `query:"active"`
	Details     bool  `query:"details"`         // with variables; fails now and then on the original (Q8)
	Resolved    *bool `query:"resolved-values"` // nil and true: resolved variables; false: own
}

// DeviceService is /v1/devices: the listing of both kinds together. Hosts and NetworkDevices do the rest.
type DeviceService struct {
	Lister[AnyDevice, DeviceListOptions]
}

func newDeviceService(c *Client) *DeviceService {
	return &DeviceService{Lister[AnyDevice, DeviceListOptions]{
		client: c, path: "/devices", key: "devices", decode: decodeDevices,
		id: func(o *AnyDevice) string { return strconv.Itoa(o.ID) },
	}}
}

// decodeDevices reads {"hosts": [...], "network-devices": [...]}: hosts first, as the server's sorted keys have it.
func decodeDevices(body gjson.Result) ([]*AnyDevice, error) {
	var all []*AnyDevice
	for _, part := range []struct {
		key  string
		kind Kind
	}{{"hosts", KindHost}, {"network-devices", KindNetworkDevice}} {
		list := body.Get(part.key)
		if !list.Exists() {
			return nil, errNoMember(part.key)
		}
		var items []*AnyDevice
		if err := json.Unmarshal([]byte(list.Raw), &items); err != nil {
			return nil, err
		}
		for _, d := range items {
			d.Kind = part.kind
		}
		all = append(all, items...)
	}
	return all, nil
}

package craton

import (
	"context"
	"strconv"
)

// NetworkDevice is a switch, a router, a firewall or the like.
type NetworkDevice struct {
	Device
	ModelName string `json:"model_name"`
	OSVersion string `json:"os_version"`
	VLANs     string `json:"vlans"`
}

// NetworkDeviceCreate is the fields of a new network device. Name, IPAddress, DeviceType, CloudID and RegionID are
// required. Labels are added afterwards, with AddLabels. Fields that the original returns in its response but does not
// store are left out (Q22).
type NetworkDeviceCreate struct {
	Name       string    `json:"name"` // unique in the region, across hosts and network devices
	IPAddress  string    `json:"ip_address"`
	DeviceType string    `json:"device_type"`
	CloudID    int       `json:"cloud_id"`
	RegionID   int       `json:"region_id"`
	CellID     int       `json:"cell_id,omitzero"`
	ParentID   int       `json:"parent_id,omitzero"` // a device of either kind
	Active     *bool     `json:"active,omitzero"`    // nil: true; cannot be changed later
	ModelName  string    `json:"model_name,omitzero"`
	OSVersion  string    `json:"os_version,omitzero"`
	VLANs      string    `json:"vlans,omitzero"`
	Variables  Variables `json:"variables,omitempty"`
}

// NetworkDeviceUpdate changes a network device; nil leaves a field unchanged. Cloud, region, cell and active cannot be
// changed.
type NetworkDeviceUpdate struct {
	Name       *string `json:"name,omitzero"`
	IPAddress  *string `json:"ip_address,omitzero"`
	DeviceType *string `json:"device_type,omitzero"`
	ModelName  *string `json:"model_name,omitzero"`
	OSVersion  *string `json:"os_version,omitzero"`
	VLANs      *string `json:"vlans,omitzero"`
	ParentID   *Ref    `json:"parent_id,omitzero"` // new(NoParent) detaches
}

// NetworkDeviceListOptions filter network devices; all that are set must match.
type NetworkDeviceListOptions struct {
	Paging
	ID         int    `query:"id"`
	Name       string `query:"name"`
	RegionID   int    `query:"region_id"`
	CloudID    int    `query:"cloud_id"`
	CellID     int    `query:"cell_id"`
	DeviceType string `query:"device_type"`
	IPAddress  string `query:"ip_address"`
	Vars       string `query:"vars"`    // v1 contract §5.5
	Details    bool   `query:"details"` // with variables
	Resolved   *bool  `query:"resolved-values"`
	Where      string `query:"where"` // such as "label=web name=web-*", for a server with the feature "where"
}

// NetworkDeviceService is /v1/network-devices.
type NetworkDeviceService struct {
	Lister[NetworkDevice, NetworkDeviceListOptions]
	Reader[NetworkDevice, int]
	Writer[NetworkDevice, int, NetworkDeviceCreate]
	Updater[NetworkDevice, int, NetworkDeviceUpdate]
	Mover[NetworkDevice, int, DeviceMove]
	VariableStore[int]
	LabelStore[int]
}

func newNetworkDeviceService(c *Client) *NetworkDeviceService {
	const path = "/network-devices"
	s := &NetworkDeviceService{
		Lister:        Lister[NetworkDevice, NetworkDeviceListOptions]{client: c, path: path, key: "network_devices", id: func(o *NetworkDevice) string { return strconv.Itoa(o.ID) }},
		Reader:        Reader[NetworkDevice, int]{client: c, path: path, resolves: true},
		Writer:        Writer[NetworkDevice, int, NetworkDeviceCreate]{client: c, path: path},
		Updater:       Updater[NetworkDevice, int, NetworkDeviceUpdate]{client: c, path: path},
		Mover:         Mover[NetworkDevice, int, DeviceMove]{client: c, path: path},
		VariableStore: VariableStore[int]{client: c, path: path, inherits: true},
		LabelStore:    LabelStore[int]{client: c, path: path},
	}
	s.Writer.taken = func(ctx context.Context, want *NetworkDevice) bool { return deviceTaken(ctx, c, &want.Device) }
	s.Updater.taken = s.Writer.taken
	s.inUse = func(ctx context.Context, id int) string { return deviceInUse(ctx, c, id) }
	s.partial = func(ctx context.Context, body *NetworkDeviceCreate) string {
		return findHiddenCreate(ctx, c, body.ParentID)
	}
	return s
}

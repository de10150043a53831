package craton

import (
	"context"
	"fmt"
	"strconv"
)

// Host is a machine.
type Host struct {
	Device
	Note string `json:"note"`
}

// HostCreate is the fields of a new host. Name, IPAddress, DeviceType, CloudID and RegionID are required.
type HostCreate struct {
	Name       string    `json:"name"` // unique in the region, across hosts and network devices
	IPAddress  string    `json:"ip_address"`
	DeviceType string    `json:"device_type"`
	CloudID    int       `json:"cloud_id"`
	RegionID   int       `json:"region_id"`
	CellID     int       `json:"cell_id,omitzero"`
	ParentID   int       `json:"parent_id,omitzero"` // a device of either kind
	Active     *bool     `json:"active,omitzero"`    // nil: true
	Note       string    `json:"note,omitzero"`
	Labels     []string  `json:"labels,omitempty"`
	Variables  Variables `json:"variables,omitempty"`
}

// HostUpdate changes a host; nil leaves a field unchanged. Cloud, region and cell cannot be changed.
type HostUpdate struct {
	Name       *string `json:"name,omitzero"`
	IPAddress  *string `json:"ip_address,omitzero"`
	DeviceType *string `json:"device_type,omitzero"`
	Active     *bool   `json:"active,omitzero"`
	Note       *string `json:"note,omitzero"`
	ParentID   *Ref    `json:"parent_id,omitzero"` // new(NoParent) detaches
}

// HostListOptions filter hosts; all that are set must match.
type HostListOptions struct {
	Paging
	ID         int    `query:"id"`
	Name       string `query:"name"`
	RegionID   int    `query:"region_id"`
	CloudID    int    `query:"cloud_id"`
	CellID     int    `query:"cell_id"`
	DeviceType string `query:"device_type"`
	Label      string `query:"label"`
	IPAddress  string `query:"ip_address"` // the original compares it with the text as it was stored (Q3)
	Vars       string `query:"vars"`       // v1 contract §5.5
	Details    bool   `query:"details"`    // with variables; sometimes fails on the original (Q8)
	Resolved   *bool  `query:"resolved-values"`
	Where      string `query:"where"` // such as "label=web name=web-*", for a server with the feature "where"
}

// HostService is /v1/hosts.
type HostService struct {
	Lister[Host, HostListOptions]
	Reader[Host, int]
	Writer[Host, int, HostCreate]
	Updater[Host, int, HostUpdate]
	Mover[Host, int, DeviceMove]
	VariableStore[int]
	LabelStore[int]
}

func newHostService(c *Client) *HostService {
	const path = "/hosts"
	s := &HostService{
		Lister:        Lister[Host, HostListOptions]{client: c, path: path, key: "hosts", id: func(o *Host) string { return strconv.Itoa(o.ID) }},
		Reader:        Reader[Host, int]{client: c, path: path, resolves: true},
		Writer:        Writer[Host, int, HostCreate]{client: c, path: path},
		Updater:       Updater[Host, int, HostUpdate]{client: c, path: path},
		Mover:         Mover[Host, int, DeviceMove]{client: c, path: path},
		VariableStore: VariableStore[int]{client: c, path: path, resolves: true, inherits: true},
		LabelStore:    LabelStore[int]{client: c, path: path},
	}
	s.Updater.taken = func(ctx context.Context, want *Host) bool { return deviceTaken(ctx, c, &want.Device) }
	s.clash = func(body *HostCreate) string {
		for i, label := range body.Labels {
			for _, other := range body.Labels[:i] {
				if label != other && sameName(label, other) {
					return fmt.Sprintf("the original server also returns this for labels that differ in case only: %q and %q", other, label)
				}
			}
		}
		return ""
	}
	s.inUse = func(ctx context.Context, id int) string { return deviceInUse(ctx, c, id) }
	s.partial = func(ctx context.Context, body *HostCreate) string { return findHiddenCreate(ctx, c, body.ParentID) }
	return s
}

package craton

import (
	"context"
	"fmt"
	"strconv"
)

// Network is an address range in a region. It inherits no variables.
type Network struct {
	ID          int       `json:"id"`
	Name        string    `json:"name"`
	CIDR        string    `json:"cidr"`
	Gateway     string    `json:"gateway"`
	Netmask     string    `json:"netmask"`
	IPBlockType string    `json:"ip_block_type"`
	NSS         string    `json:"nss"`
	CloudID     int       `json:"cloud_id"`
	RegionID    int       `json:"region_id"`
	CellID      int       `json:"cell_id"` // 0: in no cell
	ProjectID   string    `json:"project_id"`
	CreatedAt   Timestamp `json:"created_at"`
	UpdatedAt   Timestamp `json:"updated_at"`
	Variables   Variables `json:"variables,omitzero"` // nil if the API leaves them out (Q7)
}

// NetworkCreate is the fields of a new network. All except CellID, IPBlockType, NSS and Variables are required; Name is
// unique in the region.
type NetworkCreate struct {
	Name        string    `json:"name"`
	CIDR        string    `json:"cidr"`
	Gateway     string    `json:"gateway"`
	Netmask     string    `json:"netmask"`
	CloudID     int       `json:"cloud_id"`
	RegionID    int       `json:"region_id"`
	CellID      int       `json:"cell_id,omitzero"`
	IPBlockType string    `json:"ip_block_type,omitzero"`
	NSS         string    `json:"nss,omitzero"`
	Variables   Variables `json:"variables,omitempty"`
}

// NetworkUpdate changes a network; nil leaves a field unchanged. Cloud, region and cell cannot be changed.
type NetworkUpdate struct {
	Name        *string `json:"name,omitzero"`
	CIDR        *string `json:"cidr,omitzero"`
	Gateway     *string `json:"gateway,omitzero"`
	Netmask     *string `json:"netmask,omitzero"`
	IPBlockType *string `json:"ip_block_type,omitzero"`
	NSS         *string `json:"nss,omitzero"`
}

// NetworkListOptions filter networks; all that are set must match. The API has no filter by cloud.
type NetworkListOptions struct {
	Paging
	ID       int    `query:"id"`
	Name     string `query:"name"`
	RegionID int    `query:"region_id"`
	CellID   int    `query:"cell_id"`
	Vars     string `query:"vars"`    // v1 contract §5.5
	Details  bool   `query:"details"` // with variables
	Where    string `query:"where"`   // such as "label=web name=web-*", for a server with the feature "where"
}

// NetworkService is /v1/networks.
type NetworkService struct {
	Lister[Network, NetworkListOptions]
	Reader[Network, int]
	Writer[Network, int, NetworkCreate]
	Updater[Network, int, NetworkUpdate]
	VariableStore[int]
}

func newNetworkService(c *Client) *NetworkService {
	const path = "/networks"
	s := &NetworkService{
		Lister:        Lister[Network, NetworkListOptions]{client: c, path: path, key: "networks", id: func(o *Network) string { return strconv.Itoa(o.ID) }},
		Reader:        Reader[Network, int]{client: c, path: path},
		Writer:        Writer[Network, int, NetworkCreate]{client: c, path: path},
		Updater:       Updater[Network, int, NetworkUpdate]{client: c, path: path},
		VariableStore: VariableStore[int]{client: c, path: path},
	}
	// Names are unique in a region.
	s.Updater.taken = func(ctx context.Context, want *Network) bool {
		return anyOther(s.All(ctx, NetworkListOptions{RegionID: want.RegionID, Name: want.Name}), func(o *Network) bool {
			return o.ID != want.ID && sameName(o.Name, want.Name)
		})
	}
	// The API has no filter of interfaces by network (v1 contract §2.4.7).
	s.inUse = func(ctx context.Context, id int) (by string) {
		anyOther(c.NetworkInterfaces.All(ctx, NetworkInterfaceListOptions{}), func(i *NetworkInterface) bool {
			if i.NetworkID == id {
				by = fmt.Sprintf("network interface %d (%s) is on this network", i.ID, i.Name)
			}
			return by != ""
		})
		return by
	}
	return s
}

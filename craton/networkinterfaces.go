package craton

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
)

// NetworkInterface is an interface of a host or a network device.
type NetworkInterface struct {
	ID            int       `json:"id"`
	Name          string    `json:"name"`
	DeviceID      int       `json:"device_id"`
	InterfaceType string    `json:"interface_type"`
	IPAddress     string    `json:"ip_address"`
	NetworkID     int       `json:"network_id"` // 0: on no network
	VLANID        int       `json:"vlan_id"`
	VLAN          string    `json:"vlan"`
	Duplex        string    `json:"duplex"`
	Link          string    `json:"link"`
	CDP           string    `json:"cdp"`
	Security      string    `json:"security"`
	Port          int       `json:"port"`
	Speed         Speed     `json:"speed"`
	ProjectID     string    `json:"project_id"`
	CreatedAt     Timestamp `json:"created_at"`
	UpdatedAt     Timestamp `json:"updated_at"`
	Variables     Variables `json:"variables,omitzero"` // only Get has them (contract §2.3)
}

// Speed is an interface's speed, in a unit of the operator's choice (usually Mbit/s); 0 is unset. The API returns an
// integer in response to a write and a string to a read (Q4); both are decoded.
type Speed int

// UnmarshalJSON reads 1000, "1000" and null.
func (s *Speed) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `"`))
	if text == "null" || text == "" {
		*s = 0
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("craton: %s is not a speed", b)
	}
	*s = Speed(n)
	return nil
}

// NetworkInterfaceCreate is the fields of a new interface. Name (unique on the device), DeviceID, InterfaceType and
// IPAddress are required.
type NetworkInterfaceCreate struct {
	Name          string    `json:"name"`
	DeviceID      int       `json:"device_id"`
	InterfaceType string    `json:"interface_type"`
	IPAddress     string    `json:"ip_address"`
	NetworkID     int       `json:"network_id,omitzero"`
	VLANID        int       `json:"vlan_id,omitzero"`
	VLAN          string    `json:"vlan,omitzero"`
	Duplex        string    `json:"duplex,omitzero"`
	Link          string    `json:"link,omitzero"`
	CDP           string    `json:"cdp,omitzero"`
	Security      string    `json:"security,omitzero"`
	Port          int       `json:"port,omitzero"`
	Speed         Speed     `json:"speed,omitzero"`
	Variables     Variables `json:"variables,omitempty"`
}

// NetworkInterfaceUpdate changes an interface; nil leaves a field unchanged. Device, network, address and vlan_id
// cannot be changed.
type NetworkInterfaceUpdate struct {
	Name          *string `json:"name,omitzero"`
	InterfaceType *string `json:"interface_type,omitzero"`
	VLAN          *string `json:"vlan,omitzero"`
	Duplex        *string `json:"duplex,omitzero"`
	Link          *string `json:"link,omitzero"`
	CDP           *string `json:"cdp,omitzero"`
	Security      *string `json:"security,omitzero"`
	Port          *int    `json:"port,omitzero"`
	Speed         *Speed  `json:"speed,omitzero"`
}

// NetworkInterfaceListOptions filter interfaces; all that are set must match. Listings never have variables.
type NetworkInterfaceListOptions struct {
	Paging
	ID            int    `query:"id"`
	DeviceID      int    `query:"device_id"`
	IPAddress     string `query:"ip_address"`
	InterfaceType string `query:"interface_type"`
}

// NetworkInterfaceService is /v1/network-interfaces.
type NetworkInterfaceService struct {
	Lister[NetworkInterface, NetworkInterfaceListOptions]
	Reader[NetworkInterface, int]
	Writer[NetworkInterface, int, NetworkInterfaceCreate]
	Updater[NetworkInterface, int, NetworkInterfaceUpdate]
}

func newNetworkInterfaceService(c *Client) *NetworkInterfaceService {
	const path = "/network-interfaces"
	s := &NetworkInterfaceService{
		Lister:  Lister[NetworkInterface, NetworkInterfaceListOptions]{client: c, path: path, key: "network_interfaces", id: func(o *NetworkInterface) string { return strconv.Itoa(o.ID) }},
		Reader:  Reader[NetworkInterface, int]{client: c, path: path},
		Writer:  Writer[NetworkInterface, int, NetworkInterfaceCreate]{client: c, path: path},
		Updater: Updater[NetworkInterface, int, NetworkInterfaceUpdate]{client: c, path: path},
	}
	// Names are unique on a device.
	taken := func(ctx context.Context, want *NetworkInterface) bool {
		return anyOther(s.All(ctx, NetworkInterfaceListOptions{DeviceID: want.DeviceID}), func(o *NetworkInterface) bool {
			return o.ID != want.ID && sameName(o.Name, want.Name)
		})
	}
	s.Writer.taken, s.Updater.taken = taken, taken
	return s
}

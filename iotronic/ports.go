package iotronic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/craton-fleet/craton/internal/value"
)

// Port is a network port: of a board, or of a node of Ironic.
type Port struct {
	UUID      string    `json:"uuid"`
	Links     []Link    `json:"links"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`

	// Of a board.
	Board   string `json:"board_uuid"`
	MAC     string `json:"MAC_add"` // of a node too
	VIFName string `json:"VIF_name"`
	Network string `json:"network"`
	IP      string `json:"ip"`

	// Of a node.
	Node                string `json:"node_uuid"`
	Name                string `json:"name"`                  // 1.88
	PXEEnabled          bool   `json:"pxe_enabled"`           // 1.19; whether the node may boot from it
	LocalLinkConnection Object `json:"local_link_connection"` // 1.19; where its cable ends: switch_id, port_id, switch_info
	Portgroup           string `json:"portgroup_uuid"`        // 1.24
	PhysicalNetwork     string `json:"physical_network"`      // 1.34
	Extra               Object `json:"extra"`

	Raw
}

func (p *Port) id() string { return p.UUID }

// settle sets the address from its name on Iotronic.
func (p *Port) settle() {
	if p.MAC == "" {
		p.MAC = p.Fields.Text("address")
	}
}

// PortCreate is the attributes of a new port of Ironic. Address and Node are required.
type PortCreate struct {
	Address             string `json:"address,omitzero" dialect:"ironic"`   // MAC; no two ports have the same
	Node                string `json:"node_uuid,omitzero" dialect:"ironic"` // UUID of the node
	UUID                string `json:"uuid,omitzero" dialect:"ironic"`
	Name                string `json:"name,omitzero" dialect:"ironic"`
	PXEEnabled          *bool  `json:"pxe_enabled,omitempty" dialect:"ironic"` // true if it is not given
	LocalLinkConnection Object `json:"local_link_connection,omitempty" dialect:"ironic"`
	Portgroup           string `json:"portgroup_uuid,omitzero" dialect:"ironic"`
	PhysicalNetwork     string `json:"physical_network,omitzero" dialect:"ironic"`
	IsSmartNIC          *bool  `json:"is_smartnic,omitempty" dialect:"ironic"`
	Description         string `json:"description,omitzero" dialect:"ironic"`
	Extra               Object `json:"extra,omitempty" dialect:"ironic"`

	More Object `json:"-"` // other attributes, by their names in the API
}

// PortListOptions filter ports.
type PortListOptions struct {
	Paging
	Detail    bool     `query:"detail" dialect:"ironic"` // all fields; Iotronic always has all
	Fields    []string `query:"fields" dialect:"ironic"` // only these and the uuid; not with Detail
	Node      string   `query:"node" dialect:"ironic"`   // by UUID or name
	MAC       string   `query:"address" dialect:"ironic"`
	Portgroup string   `query:"portgroup" dialect:"ironic"` // by UUID or name; 1.24
}

// PortService is /v1/ports of Ironic, and of Iotronic, where it has the ports of all projects and is read-only. On
// Ironic a port can also be found by its address.
type PortService struct {
	Lister[Port, PortListOptions]
	Reader[Port]
	Writer[Port, PortCreate]
}

func newPortService(c *Client) *PortService {
	const resource = "ports"
	s := &PortService{Lister: Lister[Port, PortListOptions]{client: c, resource: resource}}
	s.Reader = Reader[Port]{reading{client: c, resource: resource, one: "port", alias: s.byAddress}}
	s.Writer = Writer[Port, PortCreate]{writing: writing{reader: &s.Reader.reading, metal: true}, more: func(p *PortCreate) Object { return p.More }}
	return s
}

// IsMAC reports whether Ironic accepts a text as the address of a port: six pairs of hexadecimal digits separated by
// colons.
func IsMAC(text string) bool {
	const length = len("52:54:00:12:34:56")
	if len(text) != length {
		return false
	}
	for i, c := range []byte(strings.ToLower(text)) {
		if i%3 == 2 != (c == ':') || c != ':' && !strings.ContainsRune("0123456789abcdef", rune(c)) {
			return false
		}
	}
	return true
}

// byAddress returns the UUID of the port with an address; anything but an address is returned unchanged.
func (s *PortService) byAddress(ctx context.Context, word string) (string, error) {
	if value.IsUUID(word) || !IsMAC(word) {
		return word, nil
	}
	page, err := s.List(ctx, PortListOptions{MAC: strings.ToLower(word)})
	if err != nil {
		return "", err
	}
	if len(page.Items) != 1 {
		return "", &NotFoundError{HTTPError{
			Status: http.StatusNotFound, Method: http.MethodGet, Path: "/v1/ports", Message: "no port has the address " + word,
		}}
	}
	return page.Items[0].UUID, nil
}

// LinkValue returns a value in local_link_connection as Ironic stores it: a text, in lower case for switch_id, which is
// a MAC address or an OpenFlow datapath id. A number becomes its text. Ironic accepts nothing else there.
func LinkValue(key string, raw json.RawMessage) (json.RawMessage, error) {
	const switchID, datapath = "switch_id", 16 // its digits
	v, err := value.Decode(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		if text = v.String(); key == switchID && len(text) != datapath {
			return nil, fmt.Errorf("%s is the number %s, which is how YAML reads some addresses and datapath ids without quotes; quote it: \"00:00:00:12:34:56\"", key, text)
		}
	default:
		return nil, fmt.Errorf("%s is %s, and Ironic stores only text there; quote it, as in \"true\", or leave the key out", key, bytes.TrimSpace(raw))
	}
	if key == switchID {
		text = strings.ToLower(text)
		if !IsMAC(text) && (len(text) != datapath || strings.Trim(text, "0123456789abcdef") != "") {
			return nil, fmt.Errorf("%s is %q, which is neither a MAC address, such as 0a:1b:2c:3d:4e:5f, nor a datapath id of %d hexadecimal digits", key, text, datapath)
		}
	}
	out, err := value.Encode(text)
	return bytes.TrimSpace(out), err
}

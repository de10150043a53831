package iotronic

import (
	"context"

	"github.com/craton-fleet/craton/internal/value"
)

// Fleet is a group of boards.
type Fleet struct {
	Record
	Project     string `json:"project"`
	Description string `json:"description"`
}

// FleetListOptions filter fleets.
type FleetListOptions struct {
	Paging
	Fields []string `query:"fields"` // only these and the uuid
}

// FleetService is /v1/fleets of Iotronic. Lists have the fleets of all projects; Get is for admins.
type FleetService struct {
	Lister[Fleet, FleetListOptions]
	Reader[Fleet]
	client *Client
}

func newFleetService(c *Client) *FleetService {
	const resource = "fleets"
	s := &FleetService{client: c}
	s.Lister = Lister[Fleet, FleetListOptions]{client: c, resource: resource}
	s.Reader = Reader[Fleet]{reading{client: c, resource: resource, one: "fleet", named: byName(&s.Lister, func(Dialect) FleetListOptions {
		return FleetListOptions{Fields: []string{"name"}}
	})}}
	return s
}

// Boards reads the boards of a fleet, by UUID or name, in their short form. For an unknown UUID, Iotronic returns no
// boards, and no error. To get the fleet of every board, list the boards: each has its own.
func (s *FleetService) Boards(ctx context.Context, fleet string) ([]*Board, error) {
	const operation = "list the boards of a fleet"
	d, err := s.client.Dialect(ctx)
	if err == nil {
		err = d.need("fleets", operation)
	}
	if err == nil && fleet != "" && !value.IsUUID(fleet) { // the server finds no boards for a name (reference §6, 8)
		fleet, err = s.only(ctx, fleet)
	}
	if err != nil {
		return nil, err
	}
	el, err := element(operation, anyID, fleet)
	if err != nil {
		return nil, err
	}
	return list[Board](ctx, s.client, "fleets", operation, "/fleets/"+el+"/boards", "boards", nil)
}

// Plugin is a program that boards run.
type Plugin struct {
	Record
	Owner      string `json:"owner"`
	Public     bool   `json:"public"`
	Callable   bool   `json:"callable"`
	Code       string `json:"code"` // pickled; in details only
	Parameters Object `json:"parameters"`
}

// PluginListOptions select plugins: the caller's own, unless one of Public, WithPublic and AllPlugins is set.
type PluginListOptions struct {
	Paging
	Detail     bool     `query:"detail"` // all fields
	Fields     []string `query:"fields"` // only these and the uuid; not with Detail
	Public     bool     `query:"public"` // the public ones only; not with Detail
	WithPublic bool     `query:"with_public"`
	AllPlugins bool     `query:"all_plugins"` // for admins
}

// PluginService is /v1/plugins of Iotronic.
type PluginService struct {
	Lister[Plugin, PluginListOptions]
	Reader[Plugin]
}

func newPluginService(c *Client) *PluginService {
	const resource = "plugins"
	return &PluginService{
		Lister: Lister[Plugin, PluginListOptions]{client: c, resource: resource},
		Reader: Reader[Plugin]{reading{client: c, resource: resource, one: "plugin"}},
	}
}

// Service is something on boards to which tunnels can lead.
type Service struct {
	Record
	Project  string `json:"project"`
	Port     int    `json:"port"`     // on the board, such as 22
	Protocol string `json:"protocol"` // TCP, UDP, ANY
}

// ServiceListOptions select services; the list always has those of all projects.
type ServiceListOptions struct {
	Paging
	Fields      []string `query:"fields"` // only these and the uuid
	AllServices bool     `query:"all_services"`
}

// ServiceService is /v1/services of Iotronic. Get is for admins.
type ServiceService struct {
	Lister[Service, ServiceListOptions]
	Reader[Service]
}

func newServiceService(c *Client) *ServiceService {
	const resource = "services"
	return &ServiceService{
		Lister: Lister[Service, ServiceListOptions]{client: c, resource: resource},
		Reader: Reader[Service]{reading{client: c, resource: resource, one: "service"}},
	}
}

// Webservice is a web server on a board that has a name in the DNS.
type Webservice struct {
	Record
	Port   int    `json:"port"` // on the board
	Board  string `json:"board_uuid"`
	Secure bool   `json:"secure"`
}

// WebserviceListOptions select fields of web services.
type WebserviceListOptions struct {
	Paging
	Fields []string `query:"fields"` // only these and the uuid
}

// WebserviceService is /v1/webservices of Iotronic. Get is for admins.
type WebserviceService struct {
	Lister[Webservice, WebserviceListOptions]
	Reader[Webservice]
}

func newWebserviceService(c *Client) *WebserviceService {
	const resource = "webservices"
	return &WebserviceService{
		Lister: Lister[Webservice, WebserviceListOptions]{client: c, resource: resource},
		Reader: Reader[Webservice]{reading{client: c, resource: resource, one: "webservice"}},
	}
}

// EnabledWebservice is a board on which web services are enabled.
type EnabledWebservice struct {
	Board     string    `json:"board_uuid"`
	HTTPPort  int       `json:"http_port"`  // on the host of the tunnels
	HTTPSPort int       `json:"https_port"` // on the host of the tunnels
	DNS       string    `json:"dns"`
	Zone      string    `json:"zone"`
	Extra     Object    `json:"extra"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`

	Raw
}

// EnabledWebserviceService is /v1/enabledwebservices of Iotronic.
type EnabledWebserviceService struct{ client *Client }

func newEnabledWebserviceService(c *Client) *EnabledWebserviceService {
	return &EnabledWebserviceService{c}
}

// List reads all that fit on the server's page: they have no UUIDs and cannot be paged, so more of them are an error.
func (s *EnabledWebserviceService) List(ctx context.Context) ([]*EnabledWebservice, error) {
	const resource = "enabledwebservices"
	return list[EnabledWebservice](ctx, s.client, resource, "list enabled webservices", "/"+resource, "EnabledWebservices", nil)
}

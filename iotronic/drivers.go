package iotronic

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/craton-fleet/craton/internal/rest"
)

// Driver is a kind of hardware that Ironic supports.
type Driver struct {
	Name  string   `json:"name"`
	Hosts []string `json:"hosts"` // the conductors that have it
	Type  string   `json:"type"`  // classic or dynamic; from 1.30
	Links []Link   `json:"links"`

	Raw
}

// DefaultInterfaces returns the default implementations for nodes, by interface: "power": "ipmitool". They are known
// only for drivers that were read one by one or with details.
func (d *Driver) DefaultInterfaces() map[string]string {
	found := map[string]string{}
	for key := range d.Fields {
		if name, ok := interfaceOf(key, "default_", "_interface"); ok && d.Fields.Text(key) != "" {
			found[name] = d.Fields.Text(key)
		}
	}
	return found
}

// EnabledInterfaces returns the implementations that nodes can use, by interface. See DefaultInterfaces.
func (d *Driver) EnabledInterfaces() map[string][]string {
	found := map[string][]string{}
	for key, value := range d.Fields {
		var names []string
		if name, ok := interfaceOf(key, "enabled_", "_interfaces"); ok && json.Unmarshal(value, &names) == nil && names != nil {
			found[name] = names
		}
	}
	return found
}

// interfaceOf returns the interface of a field.
func interfaceOf(key, before, behind string) (string, bool) {
	name, ok1 := strings.CutPrefix(key, before)
	name, ok2 := strings.CutSuffix(name, behind)
	return name, ok1 && ok2
}

// DriverListOptions filter drivers.
type DriverListOptions struct {
	Type   string `query:"type"`   // classic or dynamic; from 1.30
	Detail bool   `query:"detail"` // with interfaces; from 1.30
}

// DriverService is /v1/drivers of Ironic.
type DriverService struct{ client *Client }

func newDriverService(c *Client) *DriverService { return &DriverService{c} }

// List reads all drivers; they are not paged.
func (s *DriverService) List(ctx context.Context, options DriverListOptions) ([]*Driver, error) {
	return list[Driver](ctx, s.client, "drivers", "list drivers", "/drivers", "drivers", rest.Query(options))
}

// Get reads one driver, by name; the error is IsNotFound if there is none.
func (s *DriverService) Get(ctx context.Context, name string) (*Driver, error) {
	out := new(Driver)
	if err := s.get(ctx, "read a driver", name, "", out, "name"); err != nil {
		return nil, err
	}
	return out, nil
}

// Properties reads the properties of driver_info that a driver supports: names, each with a description.
func (s *DriverService) Properties(ctx context.Context, name string) (map[string]string, error) {
	out := map[string]string{}
	if err := s.get(ctx, "read the properties of a driver", name, "/properties", &out, ""); err != nil {
		return nil, err
	}
	return out, nil
}

func (s *DriverService) get(ctx context.Context, operation, name, below string, out any, need string) error {
	el, err := element(operation, "name", name)
	if err != nil {
		return err
	}
	c := &call{Request: rest.Request{Method: http.MethodGet, Path: "/drivers/" + el + below}}
	resp, err := s.client.do(ctx, "drivers", operation, c)
	if err != nil {
		return err
	}
	return into(resp, http.MethodGet, out, need)
}

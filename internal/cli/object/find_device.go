package object

import (
	"context"
	"slices"
	"strconv"

	"github.com/craton-fleet/craton/craton"
)

// Device is a host or a network device that a word on the command line names.
type Device struct {
	Kind craton.Kind
	craton.Device
}

// DeviceKinds returns the resources of hosts and of network devices.
func DeviceKinds() []*Resource {
	return slices.DeleteFunc(Resources(), func(r *Resource) bool {
		return r.Name != string(craton.KindHost) && r.Name != string(craton.KindNetworkDevice)
	})
}

// Device finds the only device of either kind that a word names.
func (s *Session) Device(ctx context.Context, word string) (*Device, error) {
	kinds := DeviceKinds()
	id, err := s.find(ctx, word, nil, kinds...)
	if err != nil {
		return nil, err
	}
	d, err := deviceWithID(ctx, s.Client, id)
	if !craton.IsNotFound(err) || kinds[0].id(word) == "" {
		return d, err
	}
	if id, err = s.called(ctx, word, nil, kinds...); err != nil { // a number that is not an id may be a name
		return nil, err
	}
	return deviceWithID(ctx, s.Client, id)
}

// deviceWithID reads a device by its id; both kinds share one sequence of ids.
func deviceWithID(ctx context.Context, c *craton.Client, text string) (*Device, error) {
	id, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	h, err := c.Hosts.Get(ctx, id)
	if err == nil {
		return &Device{craton.KindHost, h.Device}, nil
	}
	if !craton.IsNotFound(err) {
		return nil, err
	}
	d, err := c.NetworkDevices.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	return &Device{craton.KindNetworkDevice, d.Device}, nil
}

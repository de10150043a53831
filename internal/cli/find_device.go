package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/nearest"
)

// device is a host or a network device that a word on the command line names.
type device struct {
	kind craton.Kind
	craton.Device
}

// isID tells words that can be the id of a device.
var isID = regexp.MustCompile(`^[0-9]{1,18}$`)

// findDevice finds the one device of either kind that a word names: by its name, else by REGION/NAME or
// CLOUD/REGION/NAME, else by its id. The number of requests does not grow with the fleet.
func findDevice(ctx context.Context, c *craton.Client, word string) (*device, error) {
	found, err := devicesCalled(ctx, c, word, 0)
	if err == nil && len(found) == 0 {
		found, err = devicesAt(ctx, c, word)
	}
	if err == nil && len(found) == 0 && isID.MatchString(word) {
		found, err = devicesWithID(ctx, c, word)
	}
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, noDevice(ctx, c, word)
	case len(found) > 1:
		return nil, manyDevices(ctx, c, word, found)
	}
	return &found[0], nil
}

// devicesCalled are the devices with a name, in all regions or in one. Names are unique in a region, so one page of
// each kind is enough to tell none, one and several apart.
func devicesCalled(ctx context.Context, c *craton.Client, name string, region int) ([]device, error) {
	if name == "" { // to the API this is no filter
		return nil, nil
	}
	var hosts, others []device
	paging := craton.Paging{Limit: craton.MaxLimit}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		page, err := c.Hosts.List(gctx, craton.HostListOptions{Paging: paging, Name: name, RegionID: region})
		if err != nil {
			return err
		}
		for _, h := range page.Items {
			hosts = append(hosts, device{craton.KindHost, h.Device})
		}
		return nil
	})
	g.Go(func() error {
		page, err := c.NetworkDevices.List(gctx, craton.NetworkDeviceListOptions{Paging: paging, Name: name, RegionID: region})
		if err != nil {
			return err
		}
		for _, d := range page.Items {
			others = append(others, device{craton.KindNetworkDevice, d.Device})
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var found []device
	for _, d := range append(hosts, others...) {
		if d.Name == name { // some databases compare without case (Q25)
			found = append(found, d)
		}
	}
	return found, nil
}

// devicesAt are the devices that REGION/NAME or CLOUD/REGION/NAME names. Names may hold slashes of their own, so every
// slash is tried.
func devicesAt(ctx context.Context, c *craton.Client, word string) ([]device, error) {
	var found []device
	for i := range len(word) {
		if word[i] != '/' {
			continue
		}
		regions, err := regionsAt(ctx, c, word[:i])
		if err != nil {
			return nil, err
		}
		for _, r := range regions {
			there, err := devicesCalled(ctx, c, word[i+1:], r.ID)
			if err != nil {
				return nil, err
			}
			found = append(found, there...)
		}
	}
	return found, nil
}

// regionsAt are the regions that REGION or CLOUD/REGION names.
func regionsAt(ctx context.Context, c *craton.Client, path string) ([]*craton.Region, error) {
	found, err := regionsCalled(ctx, c, craton.RegionListOptions{Name: path})
	if err != nil {
		return nil, err
	}
	for i := range len(path) {
		if path[i] != '/' || i == 0 {
			continue
		}
		for cloud, err := range c.Clouds.All(ctx, craton.CloudListOptions{Name: path[:i]}) {
			if err != nil {
				return nil, err
			}
			in, err := regionsCalled(ctx, c, craton.RegionListOptions{Name: path[i+1:], CloudID: cloud.ID})
			if err != nil {
				return nil, err
			}
			found = append(found, in...)
		}
	}
	return found, nil
}

func regionsCalled(ctx context.Context, c *craton.Client, o craton.RegionListOptions) ([]*craton.Region, error) {
	if o.Name == "" {
		return nil, nil
	}
	var found []*craton.Region
	for r, err := range c.Regions.All(ctx, o) {
		if err != nil {
			return nil, err
		}
		if r.Name == o.Name {
			found = append(found, r)
		}
	}
	return found, nil
}

func devicesWithID(ctx context.Context, c *craton.Client, word string) ([]device, error) {
	id, err := strconv.Atoi(word)
	if err != nil {
		return nil, err
	}
	h, err := c.Hosts.Get(ctx, id)
	if err == nil {
		return []device{{craton.KindHost, h.Device}}, nil
	}
	if !craton.IsNotFound(err) {
		return nil, err
	}
	d, err := c.NetworkDevices.Get(ctx, id) // the ids of both kinds are one sequence
	if craton.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []device{{craton.KindNetworkDevice, d.Device}}, nil
}

// noDevice is the error for a word that names nothing, with what may have been meant among the first devices: the
// whole fleet is not read for it.
func noDevice(ctx context.Context, c *craton.Client, word string) error {
	var known []string
	paging := craton.Paging{Limit: craton.MaxLimit}
	if page, err := c.Devices.List(ctx, craton.DeviceListOptions{Paging: paging}); err == nil {
		for _, d := range page.Items {
			known = append(known, d.Name)
		}
	}
	text := fmt.Sprintf("no host or network device has the name or id %q", word)
	if near := nearest.Word(word[strings.LastIndexByte(word, '/')+1:], known); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return errors.New(text)
}

// manyDevices is the error for a word that names several.
func manyDevices(ctx context.Context, c *craton.Client, word string, found []device) error {
	const most = 10
	var b strings.Builder
	fmt.Fprintf(&b, "%q is the name of several devices; give the id of one, or REGION/NAME or CLOUD/REGION/NAME:", word)
	clouds, regions := map[int]string{}, map[int]string{}
	for i, d := range found {
		if i == most {
			b.WriteString("\n  ...")
			break
		}
		if regions[d.RegionID] == "" {
			regions[d.RegionID] = strconv.Itoa(d.RegionID)
			if r, err := c.Regions.Get(ctx, d.RegionID); err == nil {
				regions[d.RegionID] = r.Name
			}
		}
		if clouds[d.CloudID] == "" {
			clouds[d.CloudID] = strconv.Itoa(d.CloudID)
			if o, err := c.Clouds.Get(ctx, d.CloudID); err == nil {
				clouds[d.CloudID] = o.Name
			}
		}
		fmt.Fprintf(&b, "\n  %d  %s %s/%s/%s", d.ID, d.kind, clouds[d.CloudID], regions[d.RegionID], d.Name)
	}
	return errors.New(b.String())
}

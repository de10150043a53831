package reconcile

import (
	"context"
	"net/http"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// eachStreamed calls fn with the objects of a fleet that arrives as one response, except for those outside the
// requested place. Kinds for which wanted returns false are not decoded; nil wants all.
func eachStreamed(s *craton.FleetStream, wanted func(*schema.Kind) bool, fn func(*craton.FleetLine, *Found)) error {
	raw := craton.Object{}
	for line, err := range s.All() {
		if err != nil {
			return err
		}
		k := schema.ByName(string(line.Kind))
		if k == nil || line.Outside || wanted != nil && !wanted(k) {
			continue
		}
		readMembers(raw, line.Object)
		o, err := decodeTimeless(k, raw)
		if err != nil {
			return &craton.ResponseError{Method: http.MethodGet, Path: "/fleet", Err: err}
		}
		fn(&line, &Found{o, k})
	}
	return nil
}

// listed reads the contents of all projects, listing by listing.
func (fl *Fleet) listed(ctx context.Context) (found []*Found, err error) {
	for _, k := range []*schema.Kind{schema.Cloud, schema.Region, schema.Cell, schema.Network, schema.Device, schema.NetworkInterface} {
		filters := own
		if !k.Details {
			filters = nil
		}
		list, err := fl.records(ctx, k, filters)
		if err != nil {
			return nil, readError(err)
		}
		found = append(found, list...)
	}
	return found, nil
}

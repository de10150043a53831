package export

import (
	"context"
	"strconv"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/where"
)

// matching returns the ids of the hosts that match the terms: from the server, or evaluated here if it does not support
// terms.
func (e *exporter) matching(ctx context.Context) (map[string]bool, error) {
	known, err := e.Knows(ctx, where.Feature)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	if !known {
		hosts, err := e.Matching(ctx, e.terms)
		for _, h := range hosts {
			ids[h.ID] = true
		}
		return ids, err
	}
	for h, err := range e.Client.Hosts.All(ctx, craton.HostListOptions{Where: e.terms.String()}) {
		if err != nil {
			return nil, err
		}
		ids[strconv.Itoa(h.ID)] = true
	}
	return ids, nil
}

package export

import (
	"context"
	"errors"
	"strconv"

	"github.com/craton-fleet/craton/craton"
)

// matching are the ids of the hosts that satisfy the terms: the server's answer.
func (e *exporter) matching(ctx context.Context) (map[string]bool, error) {
	can, err := e.Client.Capabilities(ctx)
	if err != nil {
		return nil, err
	}
	if !can.Has("where") {
		return nil, errors.New("this server knows no terms (--where); export the whole, or choose hosts by the settings of the inventory, such as CRATON_INVENTORY_LABELS")
	}
	ids := map[string]bool{}
	for h, err := range e.Client.Hosts.All(ctx, craton.HostListOptions{Where: e.terms.String()}) {
		if err != nil {
			return nil, err
		}
		ids[strconv.Itoa(h.ID)] = true
	}
	return ids, nil
}

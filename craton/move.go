package craton

import (
	"context"
	"net/http"
)

// Mover moves objects to other places, with everything that belongs to them: T is the object, K its id, M the body of a
// move.
//
// The original server and older versions of craton server do not support this: the error is that of an unknown route,
// and its Hint says so.
type Mover[T any, K ID, M any] struct {
	client *Client
	path   string
}

// Move moves an object to another place. Its id, variables, labels, interfaces and children stay; devices and networks
// move with their cell. The response has no variables. If the name of the object, or of something in the cell, is taken
// in the region, the error is IsConflict, and nothing was moved.
func (m *Mover[T, K, M]) Move(ctx context.Context, id K, to M) (*T, error) {
	out := new(T)
	path := m.path + "/" + idText(id)
	err := m.client.call(ctx, http.MethodPost, path+"/move", nil, to, out, "id")
	if err == nil {
		return out, nil
	}
	if e, ok := err.(*Error); ok && e.Foreign && e.Status == http.StatusNotFound { //nolint:errorlint // call returns it bare
		switch _, lookErr := m.client.Do(ctx, http.MethodGet, path, nil, nil); {
		case lookErr == nil:
			e.Hint = hintMove
		case IsNotFound(lookErr):
			return nil, lookErr
		}
	}
	return nil, err
}

const hintMove = "the object exists, so this server cannot move objects: delete it and create it where it belongs, or use a newer craton server"

// DeviceMove is the destination of a host or network device: a cell, whose region need not be given, or a region, where
// it keeps its cell only if that is there.
type DeviceMove struct {
	RegionID int  `json:"region_id,omitzero"`
	CellID   *Ref `json:"cell_id,omitzero"` // new(NoCell) removes it from its cell
}

// NoCell is the CellID of a move that removes a device from its cell: new(craton.NoCell).
const NoCell Ref = 0

// CellMove is the destination of a cell.
type CellMove struct {
	RegionID int `json:"region_id"`
}

package craton

import (
	"context"
	"net/http"
)

// Mover puts objects into other places, with all that belongs to them: T is the object, K its id, M what a move sends.
//
// The original server and older ones of our own cannot do this: the error is that of a route that does not exist, and
// its Hint says so.
type Mover[T any, K ID, M any] struct {
	client *Client
	path   string
}

// Move puts an object into another place. Its id, variables, labels, interfaces and children stay; a cell takes its
// devices and networks along. The response has no variables. It is IsConflict if the region has the name already, or
// that of something in the cell; nothing was moved then.
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

// DeviceMove is where a host or network device goes: into a cell, whose region need not be given, or into a region,
// where it keeps its cell only if that is there.
type DeviceMove struct {
	RegionID int  `json:"region_id,omitzero"`
	CellID   *Ref `json:"cell_id,omitzero"` // new(NoCell) takes it out of its cell
}

// NoCell is the CellID of a move that takes a device out of its cell: new(craton.NoCell).
const NoCell Ref = 0

// CellMove is the region that a cell goes to.
type CellMove struct {
	RegionID int `json:"region_id"`
}

package craton

import (
	"context"
	"strconv"
)

// Cell is a part of a region, such as a row or a rack: cells hold hosts, network devices and networks.
type Cell struct {
	ID        int       `json:"id"`
	Name      string    `json:"name"`
	Note      string    `json:"note"`
	CloudID   int       `json:"cloud_id"`
	RegionID  int       `json:"region_id"`
	ProjectID string    `json:"project_id"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`
	Variables Variables `json:"variables,omitzero"` // own or resolved, as requested; nil if the API leaves them out (Q7)
}

// CellCreate is the fields of a new cell. Name (unique in the region), CloudID and RegionID are required.
type CellCreate struct {
	Name      string    `json:"name"`
	CloudID   int       `json:"cloud_id"`
	RegionID  int       `json:"region_id"`
	Note      string    `json:"note,omitzero"`
	Variables Variables `json:"variables,omitempty"`
}

// CellUpdate changes a cell; nil leaves a field unchanged. Region and cloud cannot be changed.
type CellUpdate struct {
	Name *string `json:"name,omitzero"`
	Note *string `json:"note,omitzero"`
}

// CellListOptions filter cells; all that are set must match.
type CellListOptions struct {
	Paging
	ID       int    `query:"id"`
	Name     string `query:"name"`
	RegionID int    `query:"region_id"`
	CloudID  int    `query:"cloud_id"`
	Vars     string `query:"vars"`            // v1 contract §5.5
	Details  bool   `query:"details"`         // with variables
	Resolved *bool  `query:"resolved-values"` // nil and true: resolved variables; false: own
	Where    string `query:"where"`           // such as "label=web name=web-*", for a server with the feature "where"
}

// CellService is /v1/cells.
type CellService struct {
	Lister[Cell, CellListOptions]
	Reader[Cell, int]
	Writer[Cell, int, CellCreate]
	Updater[Cell, int, CellUpdate]
	Mover[Cell, int, CellMove]
	VariableStore[int]
}

func newCellService(c *Client) *CellService {
	const path = "/cells"
	s := &CellService{
		Lister:        Lister[Cell, CellListOptions]{client: c, path: path, key: "cells", id: func(o *Cell) string { return strconv.Itoa(o.ID) }},
		Reader:        Reader[Cell, int]{client: c, path: path, resolves: true},
		Writer:        Writer[Cell, int, CellCreate]{client: c, path: path},
		Updater:       Updater[Cell, int, CellUpdate]{client: c, path: path},
		Mover:         Mover[Cell, int, CellMove]{client: c, path: path},
		VariableStore: VariableStore[int]{client: c, path: path, inherits: true},
	}
	// Names are unique in a region.
	s.Updater.taken = func(ctx context.Context, want *Cell) bool {
		return anyOther(s.All(ctx, CellListOptions{RegionID: want.RegionID, Name: want.Name}), func(o *Cell) bool {
			return o.ID != want.ID && sameName(o.Name, want.Name)
		})
	}
	return s
}

package craton

import (
	"net/url"
	"strconv"
)

// Cloud is the topmost level of a fleet: clouds hold regions.
type Cloud struct {
	ID        int       `json:"id"`
	Name      string    `json:"name"`
	Note      string    `json:"note"`
	ProjectID string    `json:"project_id"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`
	Variables Variables `json:"variables,omitempty"` // own; nil where the API leaves them out (Q7)
}

// CloudCreate is what a new cloud is made of. Name is required, unique in the project.
type CloudCreate struct {
	Name      string    `json:"name"`
	Note      string    `json:"note,omitzero"`
	Variables Variables `json:"variables,omitempty"`
}

// CloudUpdate changes a cloud; nil leaves a field as it is.
type CloudUpdate struct {
	Name *string `json:"name,omitzero"`
	Note *string `json:"note,omitzero"`
}

// CloudListOptions filter clouds. Name or ID make it a look-up of one cloud, without its variables,
// that ignores the rest (v1 contract §2.4.1).
type CloudListOptions struct {
	Paging
	ID      int    `query:"id"`
	Name    string `query:"name"`
	Vars    string `query:"vars"`    // own variables, such as `role:"db",tuning.hugepages:64` (v1 contract §5.5)
	Details bool   `query:"details"` // with variables
}

// CloudService is /v1/clouds.
type CloudService struct {
	Lister[Cloud, CloudListOptions]
	Reader[Cloud, int]
	Writer[Cloud, int, CloudCreate]
	Updater[Cloud, int, CloudUpdate]
	VariableStore[int]
}

func newCloudService(c *Client) *CloudService {
	const path = "/clouds"
	return &CloudService{
		Lister:        Lister[Cloud, CloudListOptions]{client: c, path: path, key: "clouds", id: func(o *Cloud) string { return strconv.Itoa(o.ID) }, single: byNameOrID},
		Reader:        Reader[Cloud, int]{client: c, path: path},
		Writer:        Writer[Cloud, int, CloudCreate]{client: c, path: path},
		Updater:       Updater[Cloud, int, CloudUpdate]{client: c, path: path},
		VariableStore: VariableStore[int]{client: c, path: path},
	}
}

// byNameOrID tells the look-ups that answer 404 for nothing (Q14).
func byNameOrID(q url.Values) bool { return q.Get("name") != "" || q.Get("id") != "" }

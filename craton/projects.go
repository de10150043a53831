package craton

// Project is a tenant; every other object belongs to one. Names need not be unique.
type Project struct {
	ID        string    `json:"id"` // UUID
	Name      string    `json:"name"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`
	Variables Variables `json:"variables,omitzero"` // nil if the API leaves them out (Q7)
}

// ProjectCreate is the fields of a new project.
type ProjectCreate struct {
	Name      string    `json:"name"`
	Variables Variables `json:"variables,omitempty"`
}

// ProjectListOptions filter projects. Only root may list them.
type ProjectListOptions struct {
	Paging
	Name    string `query:"name"`    // an SQL LIKE pattern: % and _ are wildcards, case-insensitive; compared by the client (Q14)
	Vars    string `query:"vars"`    // v1 contract §5.5
	Details bool   `query:"details"` // with variables
}

// ProjectService is /v1/projects. Projects cannot be changed, only their variables.
type ProjectService struct {
	Lister[Project, ProjectListOptions]
	Reader[Project, string]
	Writer[Project, string, ProjectCreate]
	VariableStore[string]
}

func newProjectService(c *Client) *ProjectService {
	const path = "/projects"
	return &ProjectService{
		Lister: Lister[Project, ProjectListOptions]{client: c, path: path, key: "projects", id: func(o *Project) string { return o.ID },
			local: byPattern(func(o *Project) string { return o.Name })},
		Reader:        Reader[Project, string]{client: c, path: path},
		Writer:        Writer[Project, string, ProjectCreate]{client: c, path: path},
		VariableStore: VariableStore[string]{client: c, path: path},
	}
}

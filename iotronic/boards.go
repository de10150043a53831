package iotronic

import "context"

// Board is a small computer of Iotronic (reference §2.5).
type Board struct {
	Record
	Owner        string `json:"owner"`      // the user who made it
	Fleet        string `json:"fleet"`      // a fleet's UUID; "" for none
	LRVersion    string `json:"lr_version"` // of Lightning-rod, the board's agent
	Connectivity Object `json:"connectivity"`
	Agent        string `json:"agent"`    // later releases only
	WSTunIP      string `json:"wstun_ip"` // later releases only: the host of its tunnels

	Thing
}

// BoardCreate is the attributes of a new board. Code, Name (a host name in lower case) and Location are required; of
// several locations only the first is used. Owner and project are those of the token.
type BoardCreate struct {
	Code     string     `json:"code"`
	Name     string     `json:"name"`
	Type     string     `json:"type,omitzero"`
	Location []Location `json:"location"`
	Mobile   bool       `json:"mobile,omitzero"`
	Fleet    string     `json:"fleet,omitzero"` // a fleet's UUID
	Extra    Object     `json:"extra,omitempty"`

	More Object `json:"-"` // other attributes, by their names in the API
}

// BoardListOptions filter boards; all that are set must match.
type BoardListOptions struct {
	Paging
	Detail bool     `query:"detail"` // all fields
	Fields []string `query:"fields"` // only these and the uuid, session, links and location; not with Detail
	Status string   `query:"status"` // registered, offline, online
	// Project is for admins. Without it, the list has the boards of the caller's own project, even for an admin: there
	// is no list of all boards.
	Project string `query:"project"`
}

// BoardService is /v1/boards of Iotronic since March 2017.
type BoardService struct {
	Lister[Board, BoardListOptions]
	Reader[Board]
	Writer[Board, BoardCreate]
	client *Client
}

func newBoardService(c *Client) *BoardService {
	const resource = "boards"
	s := &BoardService{client: c}
	s.Lister = Lister[Board, BoardListOptions]{client: c, resource: resource}
	s.Reader = Reader[Board]{reading{client: c, resource: resource, one: "board", named: byName(&s.Lister, func(d Dialect) BoardListOptions {
		return BoardListOptions{Fields: d.only("name")}
	})}}
	s.Writer = Writer[Board, BoardCreate]{
		writing: writing{reader: &s.Reader.reading}, more: func(b *BoardCreate) Object { return b.More },
	}
	return s
}

// Injection is a plugin on a board.
type Injection struct {
	Plugin    string    `json:"plugin"` // its UUID
	Status    string    `json:"status"` // injected, updated
	OnBoot    bool      `json:"onboot"`
	CreatedAt Timestamp `json:"created_at"`
	UpdatedAt Timestamp `json:"updated_at"`

	Raw
}

// ExposedService is a service of a board that is accessible through a tunnel.
type ExposedService struct {
	Service    string    `json:"service"`     // its UUID
	PublicPort int       `json:"public_port"` // on the host of the tunnels
	CreatedAt  Timestamp `json:"created_at"`
	UpdatedAt  Timestamp `json:"updated_at"`

	Raw
}

// Plugins reads the plugins on a board, by UUID or name.
func (s *BoardService) Plugins(ctx context.Context, board string) ([]*Injection, error) {
	return partsOf[Injection](ctx, s, board, "plugins", "injections")
}

// Services reads the exposed services of a board, by UUID or name.
func (s *BoardService) Services(ctx context.Context, board string) ([]*ExposedService, error) {
	return partsOf[ExposedService](ctx, s, board, "services", "exposed")
}

// Ports reads the network ports of a board, by UUID or name.
func (s *BoardService) Ports(ctx context.Context, board string) ([]*Port, error) {
	return partsOf[Port](ctx, s, board, "ports", "ports")
}

// Webservices reads the web services of a board, by UUID or name.
func (s *BoardService) Webservices(ctx context.Context, board string) ([]*Webservice, error) {
	return partsOf[Webservice](ctx, s, board, "webservices", "webservices")
}

// partsOf reads a list of parts of a board: part is its route, key the list in the body.
func partsOf[T any](ctx context.Context, s *BoardService, board, part, key string) ([]*T, error) {
	operation := "list the " + part + " of a board"
	el, err := element(operation, anyID, board)
	if err != nil {
		return nil, err
	}
	found, err := list[T](ctx, s.client, "boards", operation, "/boards/"+el+"/"+part, key, nil)
	if err != nil {
		return nil, s.explain(ctx, board, err)
	}
	return found, nil
}

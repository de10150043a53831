package iotronictest

import "strings"

// kind describes a collection and its objects.
type kind struct {
	key      string   // of the list in a body; "" stands for the collection's name
	short    []string // the fields of lists
	all      []string // the fields of single objects and of detailed lists
	always   []string // fields that are always sent
	defaults Object   // of new objects
	detail   detail   // of the collection's /detail
	links    bool

	noFields bool // the parameter fields does not exist
	strict   bool // an unknown field is an error
	scoped   bool // lists contain only the caller's project

	filters []string // parameters of lists
	create  []string // attributes of new objects; nil if none can be created
	needs   []string // the required attributes
	noun    string   // in messages
}

type detail int

const (
	noDetail     detail = iota // "Node detail could not be found": the server takes it for a name
	withDetail                 // it works
	brokenDetail               // 500 (§6, 8)
)

// era describes the server of one release.
type era struct {
	main      string // nodes or boards
	versioned bool   // the root names versions by number (§2.1)
	listed    []string
	kinds     map[string]kind
	byName    bool
	patch     bool
	admin     bool // every request needs the role admin (§2.3)
}

func words(s string) []string { return strings.Fields(s) }

var eras = []era{
	// §2.3. Get by name needs version 1.5, which never existed; PATCH and detail do not exist.
	Nodes2016: {main: "nodes", listed: words("nodes"), admin: true, kinds: map[string]kind{
		"nodes": {
			noun: "Node", noFields: true,
			short:    words("name code status uuid session"),
			all:      words("uuid code status name device session mobile location extra created_at updated_at"),
			defaults: Object{"status": "operative", "session": nil, "mobile": false, "device": nil, "extra": Object{}, "location": []any{}},
			create:   words("device code name location mobile extra"), needs: words("name code location"),
		},
	}},
	// §2.4.
	Nodes2017: {main: "nodes", versioned: true, listed: words("nodes plugins"), byName: true, patch: true, kinds: map[string]kind{
		"nodes": {
			noun: "Node", scoped: true, detail: withDetail, links: true,
			short:    words("name code status uuid session type"),
			all:      words("uuid code status name type owner session project mobile extra created_at updated_at"),
			always:   words("links location"),
			defaults: Object{"status": "registered", "session": nil, "type": nil, "mobile": false, "extra": Object{}, "location": []any{}},
			create:   words("code name type location mobile extra"), needs: words("name code location"),
		},
		"plugins": plugins,
	}},
	// §2.5. Fleets and enabledwebservices exist, but /v1 does not list them.
	Boards2019: {main: "boards", versioned: true, listed: words("boards plugins services ports webservices"), byName: true, patch: true, kinds: map[string]kind{
		"boards": {
			noun: "Board", scoped: true, detail: withDetail, links: true,
			short:  words("name code status uuid session type fleet lr_version connectivity"),
			all:    words("uuid code status name type owner session project fleet mobile lr_version connectivity extra created_at updated_at"),
			always: words("session links location"), filters: words("status project"),
			defaults: Object{
				"status": "registered", "session": nil, "type": nil, "fleet": nil, "mobile": false, "lr_version": nil,
				"connectivity": Object{}, "extra": Object{}, "location": []any{},
			},
			create: words("code name type location mobile fleet extra"), needs: words("name code location"),
		},
		"fleets": {
			noun: "Fleet", strict: true, detail: brokenDetail, links: true,
			short:    words("uuid name project description extra"),
			all:      words("uuid name project description extra created_at updated_at"),
			defaults: Object{"description": nil, "extra": Object{}},
		},
		"plugins": plugins,
		"services": {
			noun: "Service", strict: true, links: true, filters: words("all_services"),
			short:    words("uuid name project port protocol extra"),
			all:      words("uuid name project port protocol extra created_at updated_at"),
			defaults: Object{"protocol": "TCP", "extra": Object{}},
		},
		"ports": {
			noun: "Port", strict: true, links: true,
			short:    words("uuid board_uuid MAC_add VIF_name network ip"),
			all:      words("uuid board_uuid MAC_add VIF_name network ip created_at updated_at"),
			defaults: Object{},
		},
		"webservices": {
			noun: "Webservice", strict: true, detail: brokenDetail, links: true,
			short:    words("uuid name port board_uuid secure extra"),
			all:      words("uuid name port board_uuid secure extra created_at updated_at"),
			defaults: Object{"secure": true, "extra": Object{}},
		},
		"enabledwebservices": {
			noun: "EnabledWebservice", key: "EnabledWebservices", strict: true,
			short:    words("board_uuid http_port https_port dns zone extra"),
			all:      words("board_uuid http_port https_port dns zone extra created_at updated_at"),
			defaults: Object{"extra": Object{}},
		},
		// Parts of boards; board_uuid names the board.
		"injections": {all: words("plugin status onboot created_at updated_at"), defaults: Object{"status": "injected", "onboot": false}},
		"exposed":    {all: words("service public_port created_at updated_at"), defaults: Object{}},
	}},
}

var plugins = kind{
	noun: "Plugin", strict: true, detail: withDetail, links: true, filters: words("with_public all_plugins"),
	short:    words("uuid name owner public callable"),
	all:      words("uuid name owner public callable code parameters extra created_at updated_at"),
	defaults: Object{"public": false, "callable": false, "code": "Vprint(1)\np0\n.", "parameters": Object{}, "extra": Object{}},
}

// below has the lists below a board, with the key in the body and the collection in this server.
var below = map[string]struct{ key, collection string }{
	"plugins":     {"injections", "injections"},
	"services":    {"exposed", "exposed"},
	"ports":       {"ports", "ports"},
	"webservices": {"webservices", "webservices"},
}

package iotronictest

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// call is a request in progress.
type call struct {
	*answer
	r    *http.Request
	q    url.Values
	body []byte
	by   User
	base string
}

// root serves GET / (§2.1).
func (s *Server) root(r *http.Request) Object {
	v := Object{"id": "v1", "links": []Object{{"href": "http://" + r.Host + "/v1/", "rel": "self"}}}
	if s.era.versioned {
		v["status"], v["min_version"], v["version"] = "CURRENT", onlyVersion, onlyVersion
	}
	return Object{
		"name": "OpenStack Iotronic API", "description": "IoTronic is an Internet of Things resource management service for OpenStack clouds.",
		"versions": []Object{v}, "default_version": v,
	}
}

// v1 serves GET /v1 (§2.1).
func (s *Server) v1(r *http.Request) Object {
	o := Object{"id": "v1"}
	for _, name := range s.era.listed {
		o[name] = []Object{
			{"href": "http://" + r.Host + "/v1/" + name + "/", "rel": "self"},
			{"href": "http://" + r.Host + "/" + name + "/", "rel": "bookmark"},
		}
	}
	return o
}

// route calls the handler for a path, whose version has been removed.
func (s *Server) route(c *call, parts []string) {
	k, ok := s.era.kinds[parts[0]]
	if !ok || k.noun == "" {
		c.router(http.StatusNotFound, "")
		return
	}
	if s.era.admin && !c.by.has("admin", "administrator") {
		c.fault(http.StatusForbidden, "Access was denied to the following resource: %s", parts[0])
		return
	}
	switch name := parts[0]; {
	case len(parts) == 1:
		c.verbs(map[string]func(){
			http.MethodGet:  func() { s.collection(c, name, false) },
			http.MethodPost: func() { s.create(c, name, k) },
		})
	case len(parts) == 2 && parts[1] == "detail" && k.detail != noDetail:
		if k.detail == brokenDetail {
			c.fault(http.StatusInternalServerError, "get_all() takes 1 positional argument but 4 were given")
			return
		}
		c.verbs(map[string]func(){http.MethodGet: func() { s.collection(c, name, true) }})
	case len(parts) == 2 && name == "plugins" && parts[1] == "public":
		c.verbs(map[string]func(){http.MethodGet: func() {
			if fields, ok := c.fields(k, k.short); ok {
				s.list(c, name, fields, func(o Object) bool { return o["public"] == true })
			}
		}})
	case len(parts) == 2:
		s.one(c, name, k, parts[1])
	case name == "fleets" && parts[2] == "boards":
		s.fleetBoards(c, parts[1], len(parts) > 3)
	case name == "boards":
		s.belowBoard(c, k, parts[1], parts[2:])
	default:
		c.router(http.StatusNotFound, "")
	}
}

// verbs calls the handler for the request's method, or responds with 405 if there is none.
func (c *call) verbs(of map[string]func()) {
	if do := of[c.r.Method]; do != nil {
		do()
		return
	}
	c.router(http.StatusMethodNotAllowed, "The method "+c.r.Method+" is not allowed for this resource.")
}

// fleetBoards responds to /v1/fleets/F/boards (§2.5). F must be a UUID; with a name, the list is empty. The page
// size is not limited, and a marker is a 500.
func (s *Server) fleetBoards(c *call, fleet string, more bool) {
	if more || c.r.Method != http.MethodGet {
		c.router(http.StatusMethodNotAllowed, "")
		return
	}
	if c.q.Get("marker") != "" {
		c.fault(http.StatusInternalServerError, "'str' object has no attribute 'id'")
		return
	}
	k := s.era.kinds["boards"]
	fields, ok := c.fields(k, k.short)
	if !ok {
		return
	}
	most := s.maxLimit
	s.maxLimit = max(len(s.objects["boards"])+1, most)
	defer func() { s.maxLimit = most }()
	s.list(c, "boards", fields, func(o Object) bool { return o["fleet"] == fleet })
}

// belowBoard responds to /v1/boards/B/...: parts can be read; any change fails, because the board is
// not connected or does not reply.
func (s *Server) belowBoard(c *call, k kind, id string, parts []string) {
	part, ok := below[parts[0]]
	if !ok {
		c.router(http.StatusNotFound, "")
		return
	}
	board := s.find(c, "boards", k, id)
	if board == nil {
		return
	}
	restore := parts[0] == "services" && len(parts) == 2 && parts[1] == "restore"
	if c.r.Method == http.MethodGet && (len(parts) == 1 || restore) {
		if restore {
			s.restored++
		}
		of := s.era.kinds[part.collection]
		found := []Object{}
		for _, o := range s.objects[part.collection] {
			if o["board_uuid"] == board["uuid"] {
				found = append(found, c.shown(of, part.collection, o, of.all))
			}
		}
		c.json(http.StatusOK, Object{part.key: found})
		return
	}
	if board["status"] != "online" {
		c.fault(http.StatusBadRequest, "Board %s is not connected.", board["uuid"])
		return
	}
	c.fault(http.StatusInternalServerError, "Timed out waiting for a reply to message ID") // no board listens behind the broker
}

var uuidForm = regexp.MustCompile(`^(?i:[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12})$`)

func isUUID(s string) bool { return uuidForm.MatchString(s) }

// hostName matches the names that a board may have (§2.5).
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

func goodName(s string) bool { return hostName.MatchString(s) && !isUUID(strings.ToLower(s)) }

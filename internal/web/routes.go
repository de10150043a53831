package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/craton-fleet/craton/internal/reconcile"
	"github.com/craton-fleet/craton/internal/schema"
)

func itoa(n int) string { return strconv.Itoa(n) }

// kinds are the kinds that have pages, in the order of the navigation.
var kinds = []*schema.Kind{schema.Host, schema.NetworkDevice, schema.Cell, schema.Region, schema.Cloud, schema.Network, schema.NetworkInterface, schema.Project, schema.User}

// kindAt returns the kind with a collection name, or nil.
func kindAt(collection string) *schema.Kind {
	if i := slices.IndexFunc(kinds, func(k *schema.Kind) bool { return k.Path == collection }); i >= 0 {
		return kinds[i]
	}
	return nil
}

// route returns the view for the path of the request.
func (p *page) route() (*view, error) {
	first, rest, deeper := strings.Cut(p.Path, "/")
	switch {
	case first == "" && !deeper:
		return p.tree()
	case first == "variables" && rest != "":
		return p.variable(rest)
	case deeper && first == "variables": // "variables/" is redirected below
	case first == "variables" && p.query.Get("key") == "":
		return p.keys()
	case first == "variables":
		return p.variable(p.query.Get("key"))
	case first == "find" && !deeper:
		return p.find()
	case first == "compare" && !deeper:
		return p.compare()
	case first == "changes" && !deeper:
		return p.changes()
	}
	if path, slash := strings.CutSuffix(p.Path, "/"); slash && !p.twin && rest == "" {
		return nil, &movedError{p.withPath(path)}
	}
	if k := kindAt(first); k != nil {
		if !deeper {
			return p.list(k)
		}
		if id := reconcile.ID(k, rest); id != "" {
			return p.object(k, id)
		}
	}
	return nil, fail(http.StatusNotFound, "there is no page /ui/%s", p.Path)
}

// RouteOf returns the route of a path, without names or ids of the fleet, such as /ui/hosts/<id>. It returns "" if the
// path is not a route below [Root].
func RouteOf(path string) string {
	rest, ours := strings.CutPrefix(path, Root)
	rest = strings.TrimSuffix(rest, ".json")
	first, below, deeper := strings.Cut(rest, "/")
	switch {
	case !ours:
		return ""
	case rest == "" || rest == "index":
		return Root
	case first == "assets" && deeper:
		return Root + "assets/<file>"
	case first == "variables" && deeper:
		return Root + "variables/<key>"
	case !deeper && (first == "variables" || slices.Contains(plainRoutes, first)):
		return Root + first
	}
	k := kindAt(first)
	switch {
	case k == nil:
		return ""
	case !deeper:
		return Root + first
	case reconcile.ID(k, below) != "":
		return Root + first + "/<id>"
	}
	return ""
}

// plainRoutes are the routes without subpaths.
var plainRoutes = []string{"find", "compare", "changes", "sign-in", "sign-out"}

// Kinds returns the kinds in the navigation.
func (p *page) Kinds() []*schema.Kind { return kinds[:6] }

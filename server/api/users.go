package api

import (
	"net/http"
	"strconv"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/store"
)

// checkUserID gives ?id= on users the original's meaning: an unknown id is
// 404, a known one does not filter (contract §10 Q14).
func checkUserID(c *call, r *resource, q query) (bool, error) {
	id, ok := q.get("id")
	if !ok {
		return false, nil
	}
	_, err := c.store.Get(c.r.Context(), r.entity, c.caller.scope(), strconv.FormatInt(id.number, 10))
	return false, err
}

// makeUser creates a user in the project that the body names. Only root may do so outside its own (contract §1.5, hole
// 4). An api_key that was sent is overwritten. Who comes from Keystone makes none: its key would be good for local
// authentication on the same database, whatever Keystone says later.
func makeUser(c *call, _ *resource, n store.CreateParams) (store.Row, string, error) {
	if c.caller.External {
		return nil, "", errNoUsers
	}
	delete(n.Values, "api_key")
	if admin, said := n.Values["is_admin"]; said && n.Values["role"] != nil {
		if role, _ := schema.ParseRole(n.Values["role"].(string)); admin != (role >= schema.Admin) { //nolint:forcetypeassert // it was checked
			return nil, "", fail(http.StatusBadRequest, "is_admin contradicts the role %s: leave it out", role)
		}
	}
	return c.store.CreateUser(c.r.Context(), c.caller.scope(), n.Values)
}

// makeProject creates a project, which gets a random id.
func makeProject(c *call, r *resource, n store.CreateParams) (store.Row, string, error) {
	n.Values["id"] = value.NewUUID()
	row, err := c.store.Create(c.r.Context(), r.entity, c.caller.scope(), n)
	return row, "", err
}

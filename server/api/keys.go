package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/internal/value/jsontext"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/server/store"
)

// self stands for the caller in the place of a user's id: only admins can look up ids.
const self = "self"

var errNoUser = fail(http.StatusNotFound, "You are not a local user of this server, so you have no role or keys here.")

// ofUser returns the id of the path's user, whose role or keys the request is about. Everybody may use their own; those
// of others need the right to manage users, and other callers learn nothing, not even whether the user exists.
func (c *call) ofUser() (id string, err error) {
	own := ""
	if c.caller.ID != 0 {
		own = strconv.FormatInt(c.caller.ID, 10)
	}
	switch {
	case c.id == self && own == "":
		return "", errNoUser
	case c.id == self, c.id == own:
		return own, nil
	case c.r.Method != http.MethodGet && c.r.Method != http.MethodHead:
		if err := c.caller.require(schema.Member); err != nil {
			return "", err
		}
	}
	return c.id, c.caller.require(schema.Admin)
}

// showRole serves GET /v1/users/ID/role, which the original does not have.
func showRole(c *call) error {
	if _, err := parseQuery(c.r.URL.RawQuery, nil, false); err != nil {
		return err
	}
	id, err := c.ofUser()
	if err != nil {
		return err
	}
	row, err := c.store.Get(c.r.Context(), store.Users, c.caller.scope(), id)
	if err != nil {
		return err
	}
	c.writeRole(row)
	return nil
}

func (c *call) writeRole(row store.Row) {
	c.buf = append(members{{"role", row[store.Users.Index("role")]}}.append(append(c.buf, '{'), &shape{}, 1), "\n}\n"...)
}

// setRole serves PUT /v1/users/ID/role.
func setRole(c *call) error {
	if err := c.caller.require(schema.Admin); err != nil {
		return err
	}
	if c.caller.External {
		return errNoUsers
	}
	id, err := c.ofUser()
	if err != nil {
		return err
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	k := &checker{}
	var role schema.Role
	given := k.members(body, map[string]func(jsontext.Value){"role": func(v jsontext.Value) { role = k.role(v) }})
	if !slices.Contains(given, "role") && len(k.messages) == 0 {
		k.add("'role' is a required property")
	}
	if err := k.err(); err != nil {
		return err
	}
	row, err := c.store.SetRole(c.r.Context(), c.caller.manager(), id, role)
	if err != nil {
		return err
	}
	c.trace().addNames("role")
	c.writeRole(row)
	return nil
}

// members validates the members of an object, each by its own function, and returns the names of those present.
func (k *checker) members(body jsontext.Value, known map[string]func(jsontext.Value)) (given []string) {
	if !k.isObject(body) {
		return nil
	}
	var unknown []string
	for _, m := range body.Members {
		check := known[m.Key]
		if check == nil {
			unknown = append(unknown, m.Key)
			continue
		}
		given = append(given, m.Key)
		check(m.Value)
	}
	if len(unknown) > 0 {
		k.add("%s", unexpected(unknown))
	}
	return given
}

// listKeys serves GET /v1/users/ID/keys, which the original does not have: the
// API keys of a user, without their secrets.
func listKeys(c *call) error {
	keys, err := c.keys()
	if err != nil {
		return err
	}
	dst := append(c.buf, "{\n  \"keys\": ["...)
	for i := range keys {
		dst = append(c.appendKey(jsontext.AppendNewline(comma(dst, i), 2), &keys[i], "", 3), '}')
	}
	if len(keys) > 0 {
		dst = jsontext.AppendNewline(dst, 1)
	}
	c.buf = append(dst, "]\n}\n"...)
	return nil
}

// showKey serves GET /v1/users/ID/keys/ID.
func showKey(c *call) error {
	keys, err := c.keys()
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k store.UserKey) bool { return strconv.FormatInt(k.ID, 10) == c.inner })
	if i < 0 {
		return errNotFound
	}
	c.buf = append(c.appendKey(c.buf, &keys[i], "", 1), "}\n"...)
	return nil
}

func (c *call) keys() ([]store.UserKey, error) {
	if _, err := parseQuery(c.r.URL.RawQuery, nil, false); err != nil {
		return nil, err
	}
	id, err := c.ofUser()
	if err != nil {
		return nil, err
	}
	return c.store.Keys(c.r.Context(), c.caller.scope(), id)
}

// appendKey appends a key without its last brace.
func (c *call) appendKey(dst []byte, k *store.UserKey, secret string, depth int) []byte {
	m := members{{"created_at", k.Created}, {"current", k.ID == c.caller.Key}, {"expires_at", orNull(k.Expires)}, {"id", k.ID}}
	if secret != "" {
		m = append(m, members{{"key", secret}}...)
	}
	m = append(m, members{{"name", k.Name}, {"role", textOrNull(k.Role.String(), true)}, {"used_at", orNull(k.Used)}}...)
	return jsontext.AppendNewline(m.append(append(dst, '{'), &shape{seconds: -1}, depth), depth-1)
}

// createKey serves POST /v1/users/ID/keys. Only this response contains the secret.
func createKey(c *call) error {
	id, err := c.ofUser()
	if err != nil {
		return err
	}
	if c.caller.External {
		return errNoUsers
	}
	k, err := c.readKey()
	if err != nil {
		return err
	}
	made, secret, err := c.store.CreateKey(c.r.Context(), c.caller.manager(), id, k)
	if err != nil {
		return err
	}
	c.trace().Created = strconv.FormatInt(made.ID, 10)
	c.trace().addNames("key")
	c.head.Set("Location", c.base()+"/v1/users/"+id+"/keys/"+c.trace().Created)
	c.head.Set("Cache-Control", "no-store")
	c.status = http.StatusCreated
	c.buf = append(c.appendKey(c.buf, &made, secret, 1), "}\n"...)
	return nil
}

// readKey validates a body {"name": TEXT, "role": ROLE or null, "expires_at": TIME or null}.
func (c *call) readKey() (made store.UserKey, err error) {
	body, err := c.readBody()
	if err != nil {
		return made, err
	}
	k := &checker{}
	given := k.members(body, map[string]func(jsontext.Value){
		"name": func(v jsontext.Value) {
			if k.isString(v) && k.isText("name", v.Text, schema.MaxText, value.CheckName) {
				made.Name = v.Text
			}
		},
		"role": func(v jsontext.Value) {
			if v.Kind != jsontext.Null {
				made.Role = k.role(v)
			}
		},
		"expires_at": func(v jsontext.Value) {
			if v.Kind == jsontext.Null || !k.isString(v) {
				return
			}
			at, err := when.ParseFuture(v.Text, time.Now().UTC())
			if err != nil {
				k.add("expires_at: %s", strings.TrimSpace(err.Error()))
			}
			made.Expires = store.Micros(at.Unix() * 1e6)
		},
	})
	if !slices.Contains(given, "name") && len(k.messages) == 0 {
		k.add("'name' is a required property")
	}
	return made, k.err()
}

// deleteKey serves DELETE /v1/users/ID/keys/ID.
func deleteKey(c *call) error {
	id, err := c.ofUser()
	if err != nil {
		return err
	}
	if err := c.store.DeleteKey(c.r.Context(), c.caller.manager(), id, c.inner); err != nil {
		return err
	}
	c.trace().addNames("key")
	c.status = http.StatusNoContent
	return nil
}

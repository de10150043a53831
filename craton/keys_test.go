package craton_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// TestKeys: roles and keys, of oneself and of others, and no secret where something is printed.
func TestKeys(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	rec := new(recorder)
	key := `{"id": 3, "name": "ci", "role": "reader", "expires_at": "2027-02-27T09:30:00.000000", "used_at": null, "current": true, "created_at": "2026-11-29T09:30:00.000000"`
	mux.HandleFunc("GET /v1/users/self/role", rec.wrap(always(200, `{"role": "reader"}`)))
	mux.HandleFunc("PUT /v1/users/7/role", rec.wrap(always(200, `{"role": "admin"}`)))
	mux.HandleFunc("GET /v1/users/7/keys", rec.wrap(always(200, `{"keys": [`+key+`}]}`)))
	mux.HandleFunc("POST /v1/users/self/keys", rec.wrap(always(201, key+`, "key": "crn_hush"}`)))
	mux.HandleFunc("DELETE /v1/users/7/keys/3", rec.wrap(always(204, "")))
	ctx := t.Context()
	if role, err := c.Users.Role(ctx, craton.Self); err != nil || role != craton.RoleReader {
		t.Error(role, err)
	}
	if err := c.Users.SetRole(ctx, 7, craton.RoleAdmin); err != nil {
		t.Error(err)
	}
	keys, err := c.Users.Keys(ctx, 7)
	if err != nil || len(keys) != 1 || keys[0].ExpiresAt.Month() != time.February || !keys[0].UsedAt.IsZero() || !keys[0].Current {
		t.Error(keys, err)
	}
	made, err := c.Users.CreateKey(ctx, craton.Self, craton.UserKeyCreate{Name: "ci", Role: craton.RoleReader, ExpiresAt: time.Date(2027, 2, 27, 10, 30, 0, 0, time.FixedZone("", 3600))})
	if err != nil || string(made.Key) != "crn_hush" || strings.Contains(fmt.Sprintf("%v %+v %#v", *made, *made, *made), "hush") {
		t.Errorf("%v %v", made, err)
	}
	if _, err := c.Users.CreateKey(ctx, craton.Self, craton.UserKeyCreate{Name: "x"}); err != nil {
		t.Error(err)
	}
	if err := c.Users.DeleteKey(ctx, 7, 3); err != nil {
		t.Error(err)
	}
	var bodies []string
	for _, r := range rec.all() {
		if r.Body != "" {
			bodies = append(bodies, r.Body)
		}
	}
	if d := cmp.Diff([]string{`{"role":"admin"}`, `{"name":"ci","role":"reader","expires_at":"2027-02-27T09:30:00Z"}`, `{"name":"x"}`}, bodies); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(schema.Roles(), []string{string(craton.RoleReader), string(craton.RoleMember), string(craton.RoleAdmin), string(craton.RoleRoot)}); d != "" {
		t.Error(d)
	}
}

// TestKeysUnsupported: the original has no roles and keys, which is not that there is no such user.
func TestKeysUnsupported(t *testing.T) {
	t.Parallel()
	mux, c := newServer(t)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "<html>Not Found</html>", http.StatusNotFound)
	})
	_, errRole := c.Users.Role(t.Context(), 7)
	_, errKeys := c.Users.Keys(t.Context(), 7)
	for _, err := range []error{errRole, errKeys, c.Users.SetRole(t.Context(), 7, craton.RoleRoot), c.Users.DeleteKey(t.Context(), 7, 1)} {
		if e := (*craton.Error)(nil); !errors.As(err, &e) || !strings.Contains(e.Hint, "newer craton server") || craton.IsNotFound(err) {
			t.Errorf("%v", err)
		}
	}
}

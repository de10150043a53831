package keystone_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server/keystone"
)

func TestAccess(t *testing.T) {
	t.Parallel()
	usual := keystone.Roles{Admin: []string{"admin"}, Member: []string{"member"}, Reader: []string{"reader"}}
	any := keystone.Roles{Admin: []string{"admin"}, Member: []string{"*"}}
	readers := keystone.Roles{Admin: []string{"admin"}, Reader: []string{"*"}}
	root := keystone.Roles{Admin: []string{"admin"}, Member: []string{"member"}, Root: []string{"cloud-admin"}, RootProject: "0123456789abcdef0123456789abcdef"}
	dashed := root
	dashed.RootProject = "01234567-89ab-cdef-0123-456789abcdef"

	for _, c := range []struct {
		name    string
		roles   keystone.Roles
		token   keystone.Token
		want    schema.Role
		refusal string
	}{
		{"admin", usual, keystone.Token{ProjectID: "p", Roles: []string{"reader", "member", "admin"}}, schema.Admin, ""},
		{"member", usual, keystone.Token{ProjectID: "p", Roles: []string{"reader", "member"}}, schema.Member, ""},
		{"reader", usual, keystone.Token{ProjectID: "p", Roles: []string{"reader"}}, schema.Reader, ""},
		{"another role", usual, keystone.Token{ProjectID: "p", ProjectName: "team", Roles: []string{"heat_stack_user"}}, 0,
			"None of your roles in project team allows to use this server. It takes one of: admin, member, reader."},
		{"another case", usual, keystone.Token{ProjectID: "p", Roles: []string{"Admin"}}, 0, "None of your roles"},
		{"no role", any, keystone.Token{ProjectID: "p"}, 0, "None of your roles"},
		{"no project", usual, keystone.Token{Roles: []string{"admin"}, AdminProject: true}, 0, "not for a project"},

		{"any role is a member's", any, keystone.Token{ProjectID: "p", Roles: []string{"heat_stack_user"}}, schema.Member, ""},
		{"any role is a reader's", readers, keystone.Token{ProjectID: "p", Roles: []string{"heat_stack_user"}}, schema.Reader, ""},

		{"admin of the admin project", usual, keystone.Token{ProjectID: "p", Roles: []string{"admin"}, AdminProject: true}, schema.Root, ""},
		{"member of the admin project", usual, keystone.Token{ProjectID: "p", Roles: []string{"member"}, AdminProject: true}, schema.Member, ""},
		{"admin of the root project", root, keystone.Token{ProjectID: "0123456789abcdef0123456789abcdef", Roles: []string{"admin"}}, schema.Root, ""},
		{"the same, written with dashes", dashed, keystone.Token{ProjectID: "0123456789abcdef0123456789abcdef", Roles: []string{"admin"}}, schema.Root, ""},
		{"member of the root project", root, keystone.Token{ProjectID: "0123456789abcdef0123456789abcdef", Roles: []string{"member"}}, schema.Member, ""},
		{"admin of another project", root, keystone.Token{ProjectID: "1123456789abcdef0123456789abcdef", Roles: []string{"admin"}}, schema.Admin, ""},
		{"root role alone", root, keystone.Token{ProjectID: "p", Roles: []string{"cloud-admin"}}, schema.Root, ""},
	} {
		got, err := c.roles.Role(&c.token)
		switch {
		case c.refusal == "" && (err != nil || got != c.want):
			t.Errorf("%s: %v, %v, want %v", c.name, got, err, c.want)
		case c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal) || got != c.want):
			t.Errorf("%s: %v, %v, want the refusal %s", c.name, got, err, c.refusal)
		}
	}
}

func TestProjectUUID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"0123456789abcdef0123456789abcdef": "01234567-89ab-cdef-0123-456789abcdef",
		// Made by another implementation of version 5. They are stored in databases, so these must never change.
		"default":                              "efa4a95b-41d3-5b01-839b-d49799023f72",
		"01234567-89ab-cdef-0123-456789abcdef": "a910d2f8-ea45-5caf-a2f5-3f273ecc9d38",
		"0123456789ABCDEF0123456789ABCDEF":     "3d3f7488-fc37-5d03-97ac-e98905cfef8c",
	} {
		if got := keystone.ProjectUUID(id); got != want {
			t.Errorf("%q is %s, want %s", id, got, want)
		}
	}
	form := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	seen := map[string]string{}
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9a-f]{32}`), rapid.StringMatching(`[0-9A-F-]{32,36}`)).Draw(t, "id")
		got := keystone.ProjectUUID(id)
		if !form.MatchString(got) {
			t.Errorf("%q is %q, no UUID", id, got)
		}
		if other, ok := seen[got]; ok && other != id {
			t.Errorf("%q and %q are both %s", id, other, got)
		}
		seen[got] = id
	})
}

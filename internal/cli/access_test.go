package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/wording"
)

// TestKeysAndRoles: users make, list and delete keys of their own, and those who may, of others.
func TestKeysAndRoles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	var made struct {
		APIKey, Key, Role string
		ID                int
		API               string `json:"api_key"`
	}
	if err := json.Unmarshal([]byte(f.must(t, "--format json user-create -n ann --project bootstrap --role reader")), &made); err != nil || made.Role != "reader" || made.API == "" {
		t.Fatal(made, err)
	}
	ann := *f
	if err := json.Unmarshal([]byte(f.must(t, "--format json user-key-create ci --user ann --expires 90d")), &made); err != nil || !strings.HasPrefix(made.Key, "crn_") {
		t.Fatal(made, err)
	}
	as := func(key, line string) session {
		return ann.run(t, strings.NewReader(""), append([]string{"--os-username", "ann", "--os-password", key}, strings.Fields(line)...)...)
	}
	for line, want := range map[string]string{
		"user-key-list":              "| ci ",
		"user-role-get":              "| reader |",
		"host-list":                  "",
		"--format csv user-key-list": "id,name,role,created_at,expires_at,used_at,current\n",
		"user-key-create mine --role reader --expires 30d":                "| crn_",
		"--format json user-key-create mine2 --role reader --expires 30d": `"key": "crn_`,
	} {
		if got := as(made.Key, line); got.Exit != 0 || !strings.Contains(got.Stdout, want) || strings.Contains(line, "list") && strings.Contains(got.Stdout+got.Stderr, "crn_") {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := runBare(t, "__completeNoDesc", "user-key-delete", "--craton-url", f.url, "--os-username", "ann", "--os-password", made.Key, "--os-project-id", f.project, ""); got.Stdout != "api_key\nci\nmine\nmine2\n:4\n" && got.Stdout != "api_key\nci\nmine2\nmine\n:4\n" {
		t.Errorf("%+v", got)
	}
	for line, want := range map[string]string{
		"cloud-create -n x":                     "is read-only",
		"user-key-create wide --role member":    "role ... user ... reader",
		"user-key-create ci --expires 30d":      "has a key with this name",
		"user-key-create longer":                "would outlive",
		"user-key-create x --expires yesterday": "is in the past: give",
		"user-key-create x --role king":         "invalid choice",
		"user-key-list --user 1":                "'admin' role",
		"user-key-delete none":                  `no key "none"`,
		"user-key-delete ci":                    "This command signs in ... ci",
		"user-role-set 1 member":                "is read-only",
		"user-key-create":                       "<name>",
		"user-role-set ann":                     "<role>",
		"user-key-list --at yesterday":          "shows only the current ones",
	} {
		if got := as(made.Key, line); got.Exit == 0 || !wording.Has(got.Stdout+got.Stderr, want) || strings.Contains(got.Stderr, made.Key) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := as(made.Key, "user-key-delete api_key"); got.Exit != 0 {
		t.Errorf("%+v", got)
	}
	if got := as(made.API, "host-list"); got.Exit == 0 {
		t.Error("a key that was deleted is good")
	}
	if got := as(made.Key, "user-key-delete ci --yes"); got.Exit != 0 || as(made.Key, "host-list").Exit == 0 {
		t.Errorf("%+v", got)
	}
	f.must(t, "user-role-set ann admin")
	if got := f.must(t, "--format json user-role-get --user ann"); !strings.Contains(got, `"role": "admin"`) {
		t.Error(got)
	}
	if got := f.fails(t, "user-role-set bootstrap member"); !strings.Contains(got, "last root user") {
		t.Error(got)
	}
	for line, want := range map[string]string{
		"user-list": "| admin ", "--format json user-show ann": `"role": "admin"`, "--format csv user-list --fields username role": "ann,admin\n",
		"--format csv user-list -n bootstrap": ",root,",
	} {
		if got := f.must(t, line); !strings.Contains(got, want) {
			t.Errorf("%s does not show the role: %s", line, got)
		}
	}
}

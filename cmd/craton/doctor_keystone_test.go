package main_test

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/keystone"
)

// TestDoctorKeystone: a real Keystone, a server that takes its tokens, and what can be wrong between the two.
func TestDoctorKeystone(t *testing.T) {
	t.Parallel()
	k := openstacktest.StartKeystone(t)
	project, user := k.Project(t, "team"), k.User(t, "ann")
	k.Grant(t, user, project, "member")
	stranger := k.User(t, "stranger")

	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	tokens, err := keystone.New(keystone.Config{URL: k.URL})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s.KeystoneHandler(tokens, keystone.Roles{Admin: []string{"admin"}, Member: []string{"member"}, Reader: []string{"reader"}}))
	t.Cleanup(web.Close)
	own := newPatient(t)
	ownWeb := httptest.NewServer(own.handler)
	t.Cleanup(ownWeb.Close)
	region := k.Service(t, "fleet_management", web.URL)

	signIn := []string{"OS_AUTH_URL=" + k.URL, "OS_USERNAME=" + user.Name, "OS_PASSWORD=" + user.Password, "OS_PROJECT_NAME=" + project.Name, "CRATON_RETRIES=0"}
	token := k.Token(t, user, project)
	app := k.ApplicationCredential(t, user, project, time.Time{})
	brief := openstacktest.NewKeystone(t, openstacktest.TokenExpiration(2*time.Minute+29*time.Second)) // rounded to 2m0s for a minute
	briefUser, briefProject := brief.AdminUser(t), brief.AdminProject(t)
	ann := user.Name + ` is signed in for project ` + project.Name + ` \(` + project.ID + `\), with (member, reader|reader, member)`
	for name, c := range map[string]struct {
		env  []string
		want map[string]string
	}{
		"by the catalogue": {
			append(signIn, "OS_REGION_NAME="+region),
			map[string]string{
				"url": "ok: not set; taken from Keystone's catalogue$", "keystone": `ok: user ` + ann + `; the token is valid for (1h0m0s|59m0s)$`,
				"catalogue": "ok: fleet_management is at " + web.URL + "/v1$", "connection": "ok", "api": "ok: craton server",
				"credentials": `ok: user ` + user.Name + `, project ` + project.Name + ` \(` + project.ID + `\), role member$`,
				"inventory":   "warning: no hosts",
			},
		},
		"with a URL": {
			append(signIn, "CRATON_URL="+web.URL),
			map[string]string{"url": "ok: " + web.URL, "keystone": "ok", "catalogue": "$", "credentials": "ok: .* role member$", "pages": "ok"},
		},
		"not in the catalogue": {
			append(signIn, "OS_REGION_NAME=elsewhere"),
			map[string]string{"catalogue": `problem: .*fleet_management.*elsewhere.* -> set CRATON_URL, or correct`, "api": "skipped: Keystone failed$"},
		},
		"wrong password": {
			append(signIn, "OS_REGION_NAME="+region, "OS_PASSWORD=hush-wrong"),
			map[string]string{"keystone": "problem: Keystone at .*401.* -> ", "api": "skipped", "inventory settings": "ok", "inventory": "skipped"},
		},
		"no role in the project": {
			append(signIn, "OS_USERNAME="+stranger.Name, "OS_PASSWORD="+stranger.Password),
			map[string]string{"keystone": "problem: Keystone at .* -> ", "inventory": "skipped"},
		},
		"a parameter is missing": {
			[]string{"OS_AUTH_URL=" + k.URL, "OS_USERNAME=" + user.Name},
			map[string]string{"keystone": "problem: .*(password|OS_PASSWORD)"},
		},
		"Keystone is down": {
			append(signIn, "OS_AUTH_URL=http://127.0.0.1:1/v3"),
			map[string]string{"keystone": "problem: Keystone at http://127.0.0.1:1/v3.*connection refused.* -> check auth_url"},
		},
		"a token": {
			[]string{"CRATON_URL=" + web.URL, "OS_TOKEN=" + token},
			map[string]string{"keystone": "ok: the token is used", "credentials": "ok: .*role member$"},
		},
		"an application credential": {
			[]string{"CRATON_URL=" + web.URL, "OS_AUTH_URL=" + k.URL, "OS_APPLICATION_CREDENTIAL_ID=" + app.ID, "OS_APPLICATION_CREDENTIAL_SECRET=" + app.Secret},
			map[string]string{"keystone": `ok: user ` + ann, "credentials": "ok: .* role member$"},
		},
		"tokens that end soon": {
			[]string{"CRATON_URL=" + web.URL, "OS_AUTH_URL=" + brief.URL, "OS_USERNAME=" + briefUser.Name, "OS_PASSWORD=" + briefUser.Password, "OS_PROJECT_NAME=" + briefProject.Name},
			map[string]string{
				"keystone":    "warning: user " + briefUser.Name + " .*token expires in 2m0s -> .*new token",
				"credentials": "problem: .*refuses the credentials: .* -> .*same Keystone",
			},
		},
		"a server with users of its own": {
			append(signIn, "CRATON_URL="+ownWeb.URL),
			map[string]string{"keystone": "ok", "credentials": "problem: .*refuses the credentials: .* -> this API has its"},
		},
		"a user of Craton's own": {
			own.env(web.URL),
			map[string]string{"credentials": "problem: .*refuses the credentials: .* -> .*tokens of Keystone.* OS_CLOUD"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := examine(t, c.env, user.Password, stranger.Password, token, app.Secret, briefUser.Password)
			d.expect(t, c.want)
			if strings.Contains(strings.Join([]string{d["keystone"], d["catalogue"]}, ""), "%!") {
				t.Errorf("a message is malformed: %v", d)
			}
		})
	}
}

package docs

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/fleetfile"
	"github.com/craton-fleet/craton/internal/iotronictest"
	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/page"
	"github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/keystone"
)

// The chapters of docs/library.md that speak to something else than a Craton with users of its own.
const (
	chapterKeystone = "Keystone"
	chapterIronic   = "Ironic"
	chapterIotronic = "Iotronic"
)

func library(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "library.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestLibrary runs docs/library.md.
func TestLibrary(t *testing.T) {
	t.Parallel()
	text := library(t)
	p := parse("docs/library.md", text)
	if err := p.build(t.Context(), t.TempDir(), filepath.Join("..", "..")); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, env []string, belongs func(chapter string) bool) {
		t.Helper()
		for _, complaint := range p.run(t.Context(), t.TempDir(), env, belongs) {
			t.Error(complaint)
		}
	}

	t.Run("Craton", func(t *testing.T) {
		t.Parallel()
		s := openServer(t)
		b, err := s.Bootstrap(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		api := httptest.NewServer(s.Handler())
		t.Cleanup(api.Close)
		f, err := fleetfile.Parse("fleet.yml", strings.NewReader(page.Parse(text).Files["fleet.yml"]))
		if err != nil {
			t.Fatal(err)
		}
		c, err := craton.New(api.URL, craton.WithLocalAuth(b.Username, b.APIKey, b.ProjectID))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := fleetfile.Apply(t.Context(), c, f, fleetfile.Options{}); err != nil {
			t.Fatal(err)
		}
		run(t, []string{"CRATON_URL=" + api.URL, "OS_USERNAME=" + b.Username, "OS_PASSWORD=" + b.APIKey, "OS_PROJECT_ID=" + b.ProjectID},
			func(chapter string) bool {
				return chapter != chapterKeystone && chapter != chapterIronic && chapter != chapterIotronic
			})
	})

	t.Run(chapterKeystone, func(t *testing.T) {
		t.Parallel()
		k := openstacktest.StartKeystone(t)
		user, project := k.User(t, "deploy"), k.Project(t, "fleet")
		k.Grant(t, user, project, "member")
		v, err := keystone.New(keystone.Config{URL: k.URL})
		if err != nil {
			t.Fatal(err)
		}
		api := httptest.NewServer(openServer(t).KeystoneHandler(v, keystone.Roles{Admin: []string{"admin"}, Member: []string{"member"}}))
		t.Cleanup(api.Close)
		region := k.Service(t, "fleet_management", api.URL)
		credential := k.ApplicationCredential(t, user, project, time.Time{})
		clouds := filepath.Join(t.TempDir(), "clouds.yaml")
		if err := os.WriteFile(clouds, fmt.Appendf(nil, "clouds: {prod: {auth: {auth_url: %q, username: %q, password: %q, project_name: %q}, region_name: %q}}\n",
			k.URL, user.Name, user.Password, project.Name, region), 0o600); err != nil {
			t.Fatal(err)
		}
		run(t, []string{"OS_AUTH_URL=" + k.URL, "OS_USERNAME=" + user.Name, "OS_PASSWORD=" + user.Password, "OS_PROJECT_NAME=" + project.Name,
			"OS_USER_DOMAIN_NAME=" + openstacktest.DomainName, "OS_PROJECT_DOMAIN_NAME=" + openstacktest.DomainName, "OS_REGION_NAME=" + region,
			"OS_APPLICATION_CREDENTIAL_ID=" + credential.ID, "OS_APPLICATION_CREDENTIAL_SECRET=" + credential.Secret,
			"OS_CLIENT_CONFIG_FILE=" + clouds}, is(chapterKeystone))
	})

	t.Run(chapterIronic, func(t *testing.T) {
		t.Parallel()
		k := openstacktest.StartKeystone(t)
		i := openstacktest.NewIronic(t, openstacktest.IronicBehind(k))
		token := k.Token(t, k.AdminUser(t), k.AdminProject(t))
		c, err := iotronic.New(i.URL, iotronic.WithToken(token), iotronic.WithRetries(20))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Nodes.Create(t.Context(), iotronic.NodeCreate{Name: "web-01", Driver: openstacktest.IronicDriver, ResourceClass: "large"}); err != nil {
			t.Fatal(err)
		}
		run(t, []string{"IRONIC_ALONE_URL=" + openstacktest.StartIronic(t).URL, "IRONIC_URL=" + i.URL, "OS_TOKEN=" + token, "OS_AUTH_URL=" + k.URL, "OS_USERNAME=" + openstacktest.AdminUser,
			"OS_PASSWORD=" + openstacktest.AdminPassword, "OS_PROJECT_NAME=" + openstacktest.AdminProject, "OS_REGION_NAME=" + k.Service(t, "baremetal", i.URL)},
			is(chapterIronic))
	})

	t.Run(chapterIotronic, func(t *testing.T) {
		t.Parallel()
		api := iotronictest.Start(t, iotronictest.Boards2019)
		roofs := api.Add("fleets", iotronictest.Object{"name": "roofs"})
		api.Add("boards", iotronictest.Object{"name": "pi-01", "code": "c-0017", "type": "raspberry", "fleet": roofs, "status": "online"})
		api.Add("boards", iotronictest.Object{"name": "pi-02", "code": "c-0018", "type": "raspberry", "status": "offline"})
		run(t, []string{"IOTRONIC_URL=" + api.URL, "OS_TOKEN=" + iotronictest.Manager.Token}, is(chapterIotronic))
	})
}

func is(want string) func(string) bool { return func(chapter string) bool { return chapter == want } }

func openServer(t *testing.T) *server.Server {
	t.Helper()
	s, err := server.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "fleet.db"), server.Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestLibraryOptions: the page's tables of filters and of fields are those of the code.
func TestLibraryOptions(t *testing.T) {
	t.Parallel()
	text := library(t)
	for _, options := range []any{
		craton.CloudListOptions{}, craton.RegionListOptions{}, craton.CellListOptions{}, craton.HostListOptions{}, craton.DeviceListOptions{},
		craton.NetworkDeviceListOptions{}, craton.NetworkListOptions{}, craton.NetworkInterfaceListOptions{}, craton.ProjectListOptions{}, craton.UserListOptions{},
		craton.Paging{},
		craton.CloudCreate{}, craton.CloudUpdate{}, craton.RegionCreate{}, craton.RegionUpdate{}, craton.CellCreate{}, craton.CellUpdate{},
		craton.HostCreate{}, craton.HostUpdate{}, craton.ProjectCreate{},
	} {
		fields := reflect.TypeOf(options)
		var names []string
		for f := range fields.Fields() {
			if !f.Anonymous {
				names = append(names, "`"+f.Name+"`")
			}
		}
		if row := fmt.Sprintf("| `%s` | %s |", fields.Name(), strings.Join(names, ", ")); !strings.Contains(text, row) {
			t.Errorf("docs/library.md has no row\n%s", row)
		}
	}
}

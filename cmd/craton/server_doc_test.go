package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/projects"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/users"

	"github.com/craton-fleet/craton/internal/openstacktest"
	"github.com/craton-fleet/craton/internal/postgrestest"
	"github.com/craton-fleet/craton/internal/settings"
)

func serverDoc(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "server.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestServerDoc does what docs/server.md says: a server behind a real Keystone, put into its catalogue with the real
// openstack command, and used by somebody with a role in a project.
func TestServerDoc(t *testing.T) {
	t.Parallel()
	k := openstacktest.NewKeystone(t)
	const password = "ann's secret"
	if _, err := projects.Create(t.Context(), k.Admin(), projects.CreateOpts{Name: "team", DomainID: openstacktest.DomainID}).Extract(); err != nil {
		t.Fatal(err)
	}
	if _, err := users.Create(t.Context(), k.Admin(), users.CreateOpts{Name: "ann", DomainID: openstacktest.DomainID, Password: password}).Extract(); err != nil {
		t.Fatal(err)
	}
	doc := serverDoc(t)
	commands, _ := console(t, "docs/server.md")
	start := regexp.MustCompile(`(?m)^craton server --auth keystone .*$`).FindString(doc)
	if len(commands) < 5 || !strings.HasPrefix(commands[0].Text, "craton server bootstrap") || start == "" {
		t.Fatalf("docs/server.md does not begin with making the database and starting the server: %+v, %q", commands, start)
	}

	dir := t.TempDir()
	cert, _ := certificate(t, dir)
	// What stands for the reader's own hosts.
	own := strings.NewReplacer("https://keystone.example:5000/v3", k.URL, "0.0.0.0:7780", "127.0.0.1:0")
	shell := func(text, user, password, project string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", text)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + binaries(t) + ":/usr/bin:/bin", "HOME=" + dir, "LC_ALL=C.UTF-8", "CRATON_CA_PATH=" + cert,
			"OS_AUTH_URL=" + k.URL, "OS_IDENTITY_API_VERSION=3", "OS_REGION_NAME=" + openstacktest.Region,
			"OS_USERNAME=" + user, "OS_USER_DOMAIN_NAME=Default", "OS_PASSWORD=" + password, "OS_PROJECT_NAME=" + project, "OS_PROJECT_DOMAIN_NAME=Default"}
		return cmd
	}
	for i, c := range commands {
		cmd := shell(own.Replace(c.Text), "ann", password, "team")
		if strings.HasPrefix(c.Text, "openstack ") {
			cmd = shell(own.Replace(c.Text), openstacktest.AdminUser, openstacktest.AdminPassword, openstacktest.AdminProject)
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("docs/server.md:%d: $ %s: %v\n%s", c.Line, c.Text, err, out)
		}
		if complaint := c.Compare(string(out)); complaint != "" {
			t.Errorf("docs/server.md, %s", complaint)
		}
		if i == 0 {
			server := startServer(t, shell("exec "+own.Replace(start)+" --log-format json", "", "", ""))
			own = strings.NewReplacer("https://craton.example:7780", server.url)
		}
	}
}

// TestServerDocPostgres does what docs/server.md says of PostgreSQL, on one of whose two hosts nobody answers.
func TestServerDocPostgres(t *testing.T) {
	t.Parallel()
	const password = "it's a secret"
	s := postgrestest.Start(t, postgrestest.TLS(), postgrestest.Password("of the tests"))
	s.Exec(t, "postgres", "ALTER ROLE craton RENAME TO another")
	doc := serverDoc(t)
	blocks := regexp.MustCompile("(?s)```sql\n(.*?)```.*?```sh\n(.*?)```").FindStringSubmatch(doc)
	if blocks == nil {
		t.Fatal("docs/server.md has no SQL with commands behind it")
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(blocks[1]), ";") {
		if statement = strings.TrimSpace(statement); statement != "" {
			s.Exec(t, "postgres", strings.ReplaceAll(statement, "'...'", "'"+strings.ReplaceAll(password, "'", "''")+"'"))
		}
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cert, _ := certificate(t, dir)
	own := strings.NewReplacer("db1.example,db2.example", fmt.Sprintf("127.0.0.1:1,localhost:%d", s.Port), "/etc/craton/db-ca.pem", s.CA, "/etc/craton/password", file, "0.0.0.0:7780", "127.0.0.1:0")
	commands := strings.Split(strings.TrimSpace(own.Replace(blocks[2])), "\n")
	if len(commands) != 2 {
		t.Fatalf("%q", commands)
	}
	shell := func(text string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), "bash", "-c", text)
		cmd.Dir = dir
		cmd.Env = []string{"PATH=" + binaries(t) + ":/usr/bin:/bin", "HOME=" + dir, "LC_ALL=C.UTF-8"}
		return cmd
	}
	out, err := shell(commands[0]).Output()
	fields := regexp.MustCompile(`(?m)^(ProjectId|APIKey): (.+)$`).FindAllStringSubmatch(string(out), -1)
	if err != nil || len(fields) != 2 {
		t.Fatalf("%v %s", err, out)
	}
	r := startServer(t, shell("exec "+commands[1]+" --log-format json"))
	r.project, r.key, r.certificate = fields[0][2], fields[1][2], cert
	if _, said, err := r.craton(t, r.env(), "craton", "cloud-create", "--name", "east"); err != nil {
		t.Errorf("%v %s", err, said)
	}
}

// TestServerDocSettings keeps the table of docs/server.md equal to the settings.
func TestServerDocSettings(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	for _, s := range settings.Server.Settings {
		help, def := s.About(), ""
		if s.Default != "" {
			def = "`" + s.Default + "`"
		}
		fmt.Fprintf(&want, "| `%s` | `%s` | %s | %s |\n", s.Name, s.Env, def, help)
	}
	_, got, _ := strings.Cut(serverDoc(t), "|---|---|---|---|\n")
	if diff := cmp.Diff(want.String(), got); diff != "" {
		t.Errorf("the table at the end of docs/server.md (-want +got):\n%s", diff)
	}
}

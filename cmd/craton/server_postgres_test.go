package main_test

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/craton-fleet/craton/internal/postgrestest"
)

// TestServerOnPostgres: `craton server` on PostgreSQL as its users run it, with a password that a file has, or the
// environment; and no word of that password on its way, right or wrong.
func TestServerOnPostgres(t *testing.T) {
	t.Parallel()
	const password, shown = "xyz:zy@x/%41 'y\"", "xyz"
	s := postgrestest.Start(t, postgrestest.Password(password))
	database := s.Database(t)
	dir, craton := t.TempDir(), filepath.Join(binaries(t), "craton")
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	with := strings.Replace(database, "craton@", "craton:"+strings.ReplaceAll(url.QueryEscape(password), "+", "%20")+"@", 1)
	command := func(env []string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), craton, args...)
		cmd.Env = append(os.Environ(), append(env, "HOME="+dir, "XDG_CONFIG_HOME="+dir)...)
		return cmd
	}
	// run returns all that a command prints.
	run := func(env []string, args ...string) (string, error) {
		out, err := command(env, args...).CombinedOutput()
		if strings.Contains(string(out), shown) {
			t.Errorf("%v prints the password:\n%s", args, out)
		}
		return string(out), err
	}
	right := []string{"--database", database, "--database-password-file", file("password", password+"\n", 0o600)}

	for name, test := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"no tables":     {nil, append([]string{"server"}, right...), "begin with `craton server bootstrap --database " + database},
		"on the line":   {nil, []string{"server", "bootstrap", "--database", with}, "process list"},
		"wrong":         {nil, []string{"server", "bootstrap", "--database", database, "--database-password-file", file("wrong", shown, 0o600)}, "password authentication failed"},
		"wrong, env":    {[]string{"CRATON_DATABASE=" + with + "x"}, []string{"server", "bootstrap"}, `database "fleet1x" does not exist`},
		"not a URL":     {[]string{"CRATON_DATABASE=" + strings.Replace(database, "craton@", "craton:"+password+"@", 1)}, []string{"server", "bootstrap"}, "not well written"},
		"open file":     {nil, []string{"server", "bootstrap", "--database", database, "--database-password-file", file("open", password, 0o644)}, "chmod 600"},
		"open config":   {[]string{"CRATON_CONFIG=" + file("open.yml", "server:\n  database: "+with+"\n", 0o644)}, []string{"server", "bootstrap"}, "chmod 600"},
		"as CRATON_URL": {[]string{"CRATON_URL=" + with}, []string{"cloud-list"}, "run `craton server` on it"},
	} {
		if out, err := run(test.env, test.args...); err == nil || !strings.Contains(out, test.want) {
			t.Errorf("%s: %v, %s, want %s", name, err, out, test.want)
		}
	}

	out, err := run(nil, append([]string{"server", "bootstrap"}, right...)...)
	fields := regexp.MustCompile(`(?m)^(ProjectId|APIKey): (.+)$`).FindAllStringSubmatch(out, -1)
	if err != nil || len(fields) != 2 {
		t.Fatal(err, out)
	}
	if out, err := run([]string{"CRATON_DATABASE=" + with}, "server", "bootstrap"); err != nil || !strings.Contains(out, "--new-key --database "+database+")") {
		t.Error(err, out)
	}
	if out, err := run(nil, append([]string{"server", "bootstrap"}, right...)...); err != nil || !strings.Contains(out, "--new-key "+strings.Join(right, " ")+")") {
		t.Error(err, out)
	}
	if out, err := run([]string{"CRATON_DATABASE=" + with}, "config", "--all"); err != nil || !strings.Contains(out, "postgres://") {
		t.Error(err, out)
	}

	config := file("config.yml", "server:\n  database: "+with+"\n  log_format: json\n  listen: 127.0.0.1:0\n", 0o600)
	for i, r := range []*running{
		startServer(t, command([]string{"CRATON_CONFIG=" + config}, "server")),
		startServer(t, command(nil, slices.Concat([]string{"server", "--listen", "127.0.0.1:0", "--log-format", "json"}, right)...)),
	} {
		r.project, r.key = fields[0][2], fields[1][2]
		p := plainServer{running: r}
		p.cloud(t, "cloud"+strconv.Itoa(i))
		if i > 0 { // a server that cannot reach its database waits a while for it
			s.Stop(t)
			if status, header, text := p.send(t, http.MethodGet, "/v1/clouds", ""); status != http.StatusInternalServerError || header.Get("Retry-After") == "" {
				t.Errorf("%d %v %s", status, header, text)
			}
			s.Start(t)
			p.cloud(t, "again")
		}
		line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(r.cmd.Process.Pid), "cmdline"))
		if err == nil && strings.Contains(string(line), shown) {
			t.Errorf("the process list shows the password: %s", line)
		}
		if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-r.done
		if log := r.log.String(); strings.Contains(log, shown) || !strings.Contains(log, `"database":"`+database+`"`) || !strings.Contains(log, "stopped") {
			t.Error(log)
		}
	}
}

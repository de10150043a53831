package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/internal/cli"
	"github.com/craton-fleet/craton/internal/fleettest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/prometheustest"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/inventory"
)

// inventoryOf is what craton inventory says of each host: the other formats must agree with it.
type inventoryOf map[string]map[string]json.RawMessage

func (p *program) inventory(t *testing.T) inventoryOf {
	t.Helper()
	var out, errs bytes.Buffer
	streams := output.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
	if code := cli.RunAlone(t.Context(), inventory.Command(streams), []string{"--list", "--config", p.config, "--craton-url", p.url}, streams); code != 0 {
		t.Fatalf("%s", &errs)
	}
	var doc struct {
		Meta struct {
			Hostvars inventoryOf `json:"hostvars"`
		} `json:"_meta"`
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Meta.Hostvars
}

// text returns a variable as text, and whether it is one or a number; without marks.
func (v inventoryOf) text(host, name string) (text string, ok bool) {
	raw, has := v[host][name]
	if !has || string(raw) == "null" {
		return "", false
	}
	var marked map[string]string
	if json.Unmarshal(raw, &marked) == nil && len(marked) == 1 && marked["__ansible_unsafe"] != "" {
		return marked["__ansible_unsafe"], true
	}
	if json.Unmarshal(raw, &text) == nil {
		return text, true
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String(), true
	}
	return "", false
}

// last returns the last variable that a host has, as Ansible's ssh connection chooses.
func (v inventoryOf) last(host string, names ...string) (text string, usable bool) {
	usable = true
	for _, name := range names {
		if raw, has := v[host][name]; has && string(raw) != "null" {
			text, usable = v.text(host, name)
		}
	}
	return text, usable
}

// leftOut is how many hosts the warnings count.
func leftOutOf(errs string) (n int) {
	for _, m := range regexp.MustCompile(`(?m)^WARNING: (\d+) hosts? omitted: `).FindAllStringSubmatch(errs, -1) {
		one, _ := strconv.Atoi(m[1])
		n += one
	}
	return n
}

// fewOrMany returns how many random fleets are enough.
func fewOrMany(few, many int) int {
	if os.Getenv("CRATON_TEST_PROOF") != "" {
		return many
	}
	return few
}

// TestRandomFleets: of any fleet, every format says of every host what the inventory says, or counts it.
func TestRandomFleets(t *testing.T) {
	t.Parallel()
	fleets := fleettest.Fleet(func(name string) bool { return inventory.CheckHostName(name) == nil })
	for seed := range fewOrMany(4, 300) {
		t.Run(strconv.Itoa(seed), func(t *testing.T) {
			t.Parallel()
			p := newProgram(t)
			text, err := json.Marshal(fleets.Example(seed))
			if err != nil {
				t.Fatal(err)
			}
			p.must(t, string(text), "apply", "-")
			if err := os.WriteFile(p.config, []byte("inventory:\n  vars: merged\n  group_names: exact\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			v := p.inventory(t)
			p.checkSSH(t, v)
			p.checkEtcHosts(t, v)
			p.checkTable(t, v)
			p.checkTargets(t, v)
			if t.Failed() {
				t.Logf("%s", text)
			}
		})
	}
}

// fact returns a field of the host's record.
func (v inventoryOf) fact(t *testing.T, host, name string) (text string) {
	t.Helper()
	var facts map[string]json.RawMessage
	if err := json.Unmarshal(v[host]["craton"], &facts); err != nil {
		t.Fatal(err)
	}
	one := inventoryOf{host: facts}
	text, _ = one.text(host, name)
	return text
}

func (p *program) checkSSH(t *testing.T, v inventoryOf) {
	t.Helper()
	out, errs := p.must(t, "", "export", "--format", "ssh-config")
	ssh := newSSH(t, out)
	defaults := ssh.options(t, "somewhere.else")
	if defaults["hostname"] != "somewhere.else" || defaults["proxycommand"] != "" || defaults["proxyjump"] != "" {
		t.Errorf("another host: %v", defaults)
	}
	blocks := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^Host (.*)$`).FindAllStringSubmatch(out, -1) {
		blocks[m[1]] = true
	}
	if len(blocks)+leftOutOf(errs) != len(v) {
		t.Errorf("%d blocks and %d left out, of %d hosts\n%s\n%s", len(blocks), leftOutOf(errs), len(v), out, errs)
	}
	for _, host := range slices.Sorted(maps.Keys(v)) {
		want, good := map[string]string{}, true
		for key, names := range map[string][]string{
			"hostname": {"ansible_host", "ansible_ssh_host"}, "user": {"ansible_user", "ansible_ssh_user"}, "port": {"ansible_port", "ansible_ssh_port"},
			"identityfile": {"ansible_private_key_file", "ansible_ssh_private_key_file"},
		} {
			text, usable := v.last(host, names...)
			want[key] = text
			good = good && usable
		}
		if want["hostname"] == "" {
			want["hostname"] = v.fact(t, host, "ip_address")
		}
		if ip, ok := value.ParseAddress(want["hostname"]); ok {
			want["hostname"] = ip
		}
		if !blocks[host] {
			_, plainArguments := v.last(host, "ansible_ssh_common_args")
			if good && plainArguments && isSimple(host) && isSimple(want["hostname"]) && isSimple(want["user"]) && isSimple(want["identityfile"]) && regexp.MustCompile(`^([1-9][0-9]{0,3})?$`).MatchString(want["port"]) {
				t.Errorf("%s is left out, and it is nothing special: %v\n%s", host, want, errs)
			}
			continue
		}
		if !good {
			t.Errorf("%s has a variable that is no text, and a block", host)
		}
		got := ssh.options(t, host)
		for key, text := range want {
			if text == "" {
				text = defaults[key]
			}
			if !strings.EqualFold(got[key], text) {
				t.Errorf("%s: ssh -G says %s %q, the inventory %q", host, key, got[key], text)
			}
		}
		if got["proxycommand"] != "" || got["localcommand"] != "" {
			t.Errorf("%s: %v", host, got)
		}
		if args, _ := v.text(host, "ansible_ssh_common_args"); got["proxyjump"] != "" && !strings.HasSuffix(args, got["proxyjump"]) || args == "-J bastion" && got["proxyjump"] != "bastion" {
			t.Errorf("%s: jumps over %q, and has the arguments %q", host, got["proxyjump"], args)
		}
	}
}

// isSimple reports whether a text cannot be mistaken for anything else in any format.
func isSimple(text string) bool {
	return text == "" || regexp.MustCompile(`^~?[/a-z][a-z0-9/]*([.-][/a-z][a-z0-9/]*)*$`).MatchString(text) && text != "none" && text != "localhost" && len(text) < 64
}

func (p *program) checkEtcHosts(t *testing.T, v inventoryOf) {
	t.Helper()
	out, errs := p.must(t, "", "export", "--format", "hosts")
	names := map[string]bool{}
	for line := range strings.Lines(out) {
		words := strings.Fields(strings.Split(line, "#")[0]) // as the C library reads it
		if len(words) != 2 || net.ParseIP(words[0]) == nil || v[words[1]] == nil || v.fact(t, words[1], "ip_address") != words[0] || names[words[1]] {
			t.Errorf("%q", line)
			continue
		}
		names[words[1]] = true
	}
	for host := range v {
		if isSimple(host) && !strings.Contains(host, "/") && !names[host] {
			t.Errorf("%s is missing\n%s", host, errs)
		}
	}
	if len(names)+leftOutOf(errs) != len(v) {
		t.Errorf("%d lines and %d left out, of %d hosts\n%s\n%s", len(names), leftOutOf(errs), len(v), out, errs)
	}
}

func (p *program) checkTable(t *testing.T, v inventoryOf) {
	t.Helper()
	variables := append(fleettest.Special(), fleettest.Plain...)
	columns := []string{"inventory_name", "ip_address", "cloud", "region", "cell", "device_type", "active", "parent"}
	for _, name := range variables {
		if !strings.ContainsAny(name, `,"`) { // which the option takes for others
			columns = append(columns, "vars."+name)
		}
	}
	for _, raw := range []bool{false, true} {
		args := []string{"export", "--format", "csv", "--columns", strings.Join(columns, ",")}
		if raw {
			args = append(args, "--raw")
		}
		out, errs := p.must(t, "", args...)
		rows, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(out, "\r\n", "\n"))).ReadAll()
		if err != nil || len(rows) != len(v)+1 || errs != "" {
			t.Fatalf("%v, %d rows of %d hosts\n%s", err, len(rows), len(v), errs)
		}
		plain := func(cell string) string {
			if !raw && strings.HasPrefix(cell, "'") {
				return cell[1:]
			}
			return cell
		}
		for _, row := range rows[1:] {
			host := plain(row[0])
			if v[host] == nil {
				t.Errorf("%q is none", host)
				continue
			}
			for i, column := range columns[1:] {
				cell := row[i+1]
				name, isVariable := strings.CutPrefix(column, "vars.")
				if !raw && cell != "" && strings.ContainsRune("=+@\t\r\n\uff1d", []rune(cell)[0]) {
					t.Errorf("%s: %s is the formula %q", host, column, cell)
				}
				if !isVariable {
					if want := v.fact(t, host, column); plain(cell) != want && column != "active" {
						t.Errorf("%s: %s is %q, in the inventory %q", host, column, cell, want)
					}
					continue
				}
				if problem := sameCell(plain(cell), v[host][name], v); problem != "" && name != "ansible_host" { // of hosts without one the inventory makes it
					t.Errorf("%s: %s is %s", host, column, problem)
				}
			}
		}
	}
}

// sameCell compares a cell with a variable: a text stands as it is, all else as JSON.
func sameCell(cell string, raw json.RawMessage, v inventoryOf) string {
	one := inventoryOf{"": {"": raw}}
	text, isText := one.text("", "")
	switch {
	case raw == nil:
		if cell != "" {
			return fmt.Sprintf("%q, and there is none", cell)
		}
	case isText && strings.HasPrefix(text, " {") && value.EqualJSON(json.RawMessage(cell), json.RawMessage(text)): // a dictionary that Ansible must not take apart
	case isText:
		if cell != text && cell != strings.ReplaceAll(text, "\r\n", "\n") && !value.EqualJSON(json.RawMessage(cell), raw) { // as the reader of the table has it
			return fmt.Sprintf("%q, in the inventory %s", cell, raw)
		}
	case !value.EqualJSON(json.RawMessage(cell), unmarked(raw)):
		return fmt.Sprintf("%s, in the inventory %s", cell, raw)
	}
	return ""
}

// unmarked takes the marks off texts that Ansible must not read as templates.
func unmarked(raw json.RawMessage) json.RawMessage {
	var take func(v any) any
	take = func(v any) any {
		switch v := v.(type) {
		case []any:
			for i := range v {
				v[i] = take(v[i])
			}
		case map[string]any:
			if text, ok := v["__ansible_unsafe"]; ok && len(v) == 1 {
				return text
			}
			for k := range v {
				v[k] = take(v[k])
			}
		}
		return v
	}
	decoded, err := value.Decode(raw)
	if err != nil {
		return raw
	}
	plain, err := value.Encode(take(decoded))
	if err != nil {
		return raw
	}
	return plain
}

func (p *program) checkTargets(t *testing.T, v inventoryOf) {
	t.Helper()
	out, _ := p.must(t, "", "export", "--format", "prometheus", "--port", "9999", "--labels", "text,ntp")
	targets := readTargets(t, out)
	if len(targets) != len(v) {
		t.Errorf("%d targets of %d hosts", len(targets), len(v))
	}
	for _, g := range targets {
		host := g.Labels["host"]
		if v[host] == nil {
			t.Errorf("%q is none", host)
			continue
		}
		address, port, err := net.SplitHostPort(g.Targets[0])
		want, good := v.text(host, "metrics_port")
		n, bad := strconv.ParseUint(want, 10, 16)
		problem := g.Labels["__meta_craton_problem"] != ""
		switch {
		case err != nil || address != v.fact(t, host, "ip_address"):
			t.Errorf("%s: %v %v", host, g, err)
		case good && bad == nil && n > 0 && port != strconv.FormatUint(n, 10), (!good || bad != nil || n == 0) && port != "9999":
			t.Errorf("%s: the port is %s, the variable %q", host, port, want)
		case good && (bad != nil || n == 0) && !problem:
			t.Errorf("%s: nothing is said of the port %q", host, want)
		}
		for _, name := range []string{"text", "ntp"} {
			if problem := sameCell(g.Labels[name], v[host][name], v); problem != "" && string(v[host][name]) != "null" {
				t.Errorf("%s: %s is %s", host, name, problem)
			}
		}
		for label, variable := range map[string]string{"__metrics_path__": "metrics_path", "__scheme__": "metrics_scheme"} {
			if text, _ := v.text(host, variable); g.Labels[label] != "" && g.Labels[label] != text {
				t.Errorf("%s: %s is %q, the variable %q", host, label, g.Labels[label], text)
			}
		}
		labels := g.Labels["__meta_craton_labels"]
		var facts struct{ Labels []string }
		if err := json.Unmarshal(unmarked(v[host]["craton"]), &facts); err != nil {
			t.Fatal(err)
		}
		for _, l := range facts.Labels {
			if !strings.Contains(labels, ","+l+",") {
				t.Errorf("%s: %q is not in %q", host, l, labels)
			}
		}
	}
}

// TestPrometheusReads: Prometheus itself has the targets and labels of the files, whatever the fleets are.
func TestPrometheusReads(t *testing.T) {
	t.Parallel()
	fleets := fleettest.Fleet(func(string) bool { return true })
	dir := t.TempDir()
	want := map[string]targetGroup{} // by file and host
	for seed := range fewOrMany(3, 40) {
		p := newProgram(t)
		text, err := json.Marshal(fleets.Example(seed))
		if err != nil {
			t.Fatal(err)
		}
		p.must(t, string(text), "apply", "-")
		file := filepath.Join(dir, fmt.Sprintf("%d.json", seed))
		p.must(t, "", "export", "--format", "prometheus", "--labels", "text,ntp,__meta_user=ansible_user", "--output", file)
		out, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range readTargets(t, string(out)) {
			want[file+" "+g.Labels["host"]] = g
		}
	}
	found := prometheustest.Discover(t, "scrape_configs:\n- job_name: fleet\n  file_sd_configs: [{files: ['"+dir+"/*.json']}]\n", "fleet", len(want))
	for _, target := range found {
		g, ok := want[target.Discovered["__meta_filepath"]+" "+target.Discovered["host"]]
		if !ok || target.Discovered["__address__"] != g.Targets[0] {
			t.Errorf("%v, and the file has %v", target, g)
			continue
		}
		for name, text := range g.Labels {
			if target.Discovered[name] != text {
				t.Errorf("%s: %s is %q, in the file %q", target.Discovered["host"], name, target.Discovered[name], text)
			}
		}
		if target.Labels["instance"] == "" {
			t.Errorf("it is dropped: %v", target)
		}
	}
}

package prometheus

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAppend(t *testing.T) {
	t.Parallel()
	host := func(address string, variables map[string]string) *Host {
		return &Host{Name: "h", Address: address, Cloud: "c", Region: "r", Type: "x", Active: true, Variable: func(name string) (string, bool) {
			v, ok := variables[name]
			return v, ok
		}}
	}
	all := `"__meta_craton_active":"true","cloud":"c","device_type":"x","host":"h","region":"r"`
	o := DefaultOptions()
	o.AddressVariable = "address"
	for _, c := range []struct {
		address   string
		variables map[string]string
		target    string
		label     string // beside all, before them
		problems  int
	}{
		{"10.0.0.1", nil, "10.0.0.1", "", 0},
		{"2001:db8::1", nil, "[2001:db8::1]", "", 0},
		{"2001:db8::1", map[string]string{"metrics_port": "9100"}, "[2001:db8::1]:9100", "", 0},
		{"10.0.0.1", map[string]string{"metrics_port": `"09100"`}, "10.0.0.1:9100", "", 0},
		{"10.0.0.1", map[string]string{"metrics_port": `null`, "metrics_path": `null`, "address": `null`}, "10.0.0.1", "", 0},
		{"10.0.0.1", map[string]string{"metrics_port": `9100.0`}, "10.0.0.1", "!", 1},
		{"10.0.0.1", map[string]string{"metrics_port": `[1]`, "metrics_scheme": `"ftp"`, "metrics_path": `"a?b"`}, "10.0.0.1", "!", 3},
		{"10.0.0.1", map[string]string{"address": `"web.example.net"`}, "web.example.net", "", 0},
		{"10.0.0.1", map[string]string{"address": `"x/../y"`}, "10.0.0.1", "!", 1},
		{"10.0.0.1", map[string]string{"metrics_path": `"/m/x"`, "metrics_scheme": `"https"`}, "10.0.0.1", `"__metrics_path__":"/m/x","__scheme__":"https",`, 0},
		{"2001:db8:ffff::1", map[string]string{"ansible_host": `"web.example.net"`, "metrics_port": "9100"}, "web.example.net:9100", "", 0},
		{"2001:db8:ffff::1", map[string]string{"ansible_host": `"x/../y"`}, "", "", 2},
		{"2001:db8:ffff::1", nil, "", "", 1},
		{"10.0.0.1", map[string]string{"ansible_host": `"web.example.net"`}, "10.0.0.1", "", 0},
		{"nowhere/", nil, "", "", 1},
		{"", nil, "", "", 1},
	} {
		got, problems := o.Append(nil, host(c.address, c.variables))
		want := ""
		if c.target != "" {
			want = `{"targets":["` + c.target + `"],"labels":{` + strings.Replace(all, `,"cloud"`, ","+c.label+`"cloud"`, 1) + `}}`
		}
		if c.label == "!" {
			if !strings.HasPrefix(string(got), `{"targets":["`+c.target+`"],`) || !strings.Contains(string(got), `"__meta_craton_problem":"`) {
				t.Errorf("%v: %s", c, got)
			}
		} else if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c, diff)
		}
		if len(problems) != c.problems {
			t.Errorf("%v: %q", c, problems)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"role", "team=owner", "0=a", "a-é", "__meta_x=y", "__param_target=z"} {
		o := Options{Labels: ParseLabels([]string{word})}
		if err := o.Check(); (err == nil) != (word != "0=a") {
			t.Errorf("%s: %v", word, err)
		}
	}
	for _, word := range []string{"", "=a", "a=", "cloud", "a-b=c", "__address__=x", "__meta_craton_labels=x", "__meta_craton_label_x=y", "__meta_craton_problem=x"} {
		o := Options{Labels: ParseLabels([]string{word})}
		if o.Check() == nil {
			t.Errorf("%q is taken", word)
		}
	}
}

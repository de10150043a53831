package ansible_test

import (
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// TestCheckHostName: what Ansible cannot address by its name, or takes for something else, is no name. What is, is.
func TestCheckHostName(t *testing.T) {
	t.Parallel()
	for name, why := range map[string]string{
		"localhost": "the machine that it runs on", "127.0.0.1": "the machine that it runs on", "::1": "the machine that it runs on",
		"!web": "begins with !", "&web": "begins with &", "~web": "begins with ~", "@web": "begins with @",
		"*": "*?[]", "web?": "*?[]", "h[1:3]": "*?[]", "a]": "*?[]",
		"00:1b:44:11:3a:b7": "a colon", "2001:db8::zz": "a colon", "a,b": "a comma", "": "empty", "a b": "space", "a\u00a0b": "space", "-web": "begins with -", "a\x00": "control character", "a\u200bb": "U+200B", "a\u202eb": "U+202E", "a\x1b": "control character", "a\xff": "not UTF-8",
		"web.:22": "a colon", ":22": "a colon", "web-:22": "a colon", "web_:22": "a colon", "-:22": "begins with -", "a..b:22": "a colon", "web:ssh": "a colon", "web:22:23": "a colon", "web:٢٢": "a colon",
		"fe80::1%eth0": "a colon", "64:ff9b::192.0.2.1": "a colon", "2001:db8::1.2.3.4": "a colon", "::1:2:3:4:5:6:7": "a colon", "1:2:3:4:5:6:7::": "a colon", "east/dfw/web:22": "a colon", "east/dfw/2001:db8::1": "a colon", "2001:db8::/dfw/web": "a colon", "{{x}}": "template",
		".": "is a path", "..": "is a path", "../host_vars/db": "is a path", "east/../db": "is a path", "east//db": "is a path", "/db": "is a path", "db/": "is a path",
		"localhost.yml": "ends like the name of", "db.YAML": "ends like the name of", "east/db.json": "ends like the name of", ".yml": "ends like the name of",
	} {
		if err := ansible.CheckHostName(name, 1+strings.Count(strings.Trim(name, "/"), "/")); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %s", name, err, why)
		}
	}
	for _, name := range []string{"web-01", "2001:db8::1", "2001:DB8::1", "1:2:3:4:5:6:7:8", "::", "::ffff:192.0.2.1", "::192.0.2.1", "0:0:0:0:0:ffff:1.2.3.4", "64:ff9b::c000:201", "ü:22", "a_b.c-d:22", "10.0.0.1", "pi:22", "10.0.0.1:2222", "127.0.0.2", "east/dfw/web", "a!b", "LOCALHOST", "ü", "web~1", "a@b", "db.example.net", "...", ".db", "yml", "dbyml", "db.yml.net"} {
		parts := 1 + strings.Count(name, "/")
		if err := ansible.CheckHostName(name, parts); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		for _, other := range []int{parts - 1, parts + 1} {
			if err := ansible.CheckHostName(name, other); err == nil || !strings.Contains(err.Error(), "is a path") {
				t.Errorf("%q has %d parts: %v", name, other, err)
			}
		}
	}
}

// TestKinds: kinds of groups, and none of them.
func TestKinds(t *testing.T) {
	t.Parallel()
	if got, err := ansible.Kinds[string]([]string{"a", "b"}); err != nil || strings.Join(got, " ") != "a b" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := ansible.Kinds[string]([]string{"none"}); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := ansible.Kinds[string]([]string{"a", "none"}); err == nil || !strings.Contains(err.Error(), "groups is none and also something else") {
		t.Errorf("%v", err)
	}
}

func TestGroupName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prefix          string
		parts           []string
		readable, exact string
	}{
		{"cloud", []string{"east"}, "cloud_east", "cloud_east"},
		{"cell", []string{"east", "dfw", "c1"}, "cell_east_dfw_c1", "cell_east__dfw__c1"},
		{"label", []string{"on-call"}, "label_on_call", "label_on_2dcall"},
		{"label", []string{"on_call"}, "label_on_call", "label_on_5fcall"},
		{"label", []string{""}, "label_", "label_"},
		{"type", []string{"ü 1"}, "type___1", "type__c3_bc_201"},
	} {
		if got := ansible.GroupName(ansible.Readable, c.prefix, c.parts...); got != c.readable {
			t.Errorf("readable %q: %s, want %s", c.parts, got, c.readable)
		}
		if got := ansible.GroupName(ansible.Exact, c.prefix, c.parts...); got != c.exact {
			t.Errorf("exact %q: %s, want %s", c.parts, got, c.exact)
		}
	}
}

// TestGroupNamesAreValid: Ansible takes both forms without a warning, and exact names can be read back, so that two
// never become one.
func TestGroupNamesAreValid(t *testing.T) {
	t.Parallel()
	valid := regexp.MustCompile(`^[a-z]+_[A-Za-z0-9_]*$`)
	name := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a_/ -]{0,6}`))
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(name, 1, 3).Draw(t, "parts")
		prefix := rapid.SampledFrom([]string{"cloud", "region", "cell", "label", "type", "kind", "parent"}).Draw(t, "prefix")
		for _, form := range []ansible.GroupNames{ansible.Readable, ansible.Exact} {
			if got := ansible.GroupName(form, prefix, parts...); !valid.MatchString(got) {
				t.Fatalf("%s %q: %q", form, parts, got)
			}
		}
		rest, ok := strings.CutPrefix(ansible.GroupName(ansible.Exact, prefix, parts...), prefix+"_")
		if back := decodeExact(t, rest); !ok || strings.Join(back, "\x00") != strings.Join(parts, "\x00") || len(back) != len(parts) {
			t.Fatalf("%q became %q and back %q", parts, rest, back)
		}
	})
}

// decodeExact reads an exact name back, its prefix taken off.
func decodeExact(t *rapid.T, s string) []string {
	parts := []string{""}
	for i := 0; i < len(s); i++ {
		last := &parts[len(parts)-1]
		switch {
		case s[i] != '_':
			*last += string(s[i])
		case s[i+1] == '_':
			parts = append(parts, "")
			i++
		default:
			b, err := hex.DecodeString(s[i+1 : i+3])
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			*last += string(b)
			i += 2
		}
	}
	return parts
}

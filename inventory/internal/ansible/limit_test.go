package ansible_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/craton-fleet/craton/inventory/internal/ansible"
)

// limits asks Ansible, for each of some names: whether parse_address leaves it whole (null: it cannot read it), and
// which of the hosts --limit NAME selects when all that it may name are hosts.
const limits = `
import json, os, sys, unicodedata
from ansible.inventory.manager import InventoryManager, split_host_pattern
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.utils.addresses import parse_address
os.chdir(sys.argv[1])
asked = json.load(sys.stdin)
def parsed(name):
    try:
        host, port = parse_address(name)
    except Exception:
        return False
    return (host if port is None else host + ':' + str(port).zfill(len(name) - len(host) - 1)) == name
answers = []
for batch in asked:
    inventory = InventoryManager(loader=DataLoader(), sources=[], parse=False)
    for name in batch:
        inventory.add_host(name, 'all')
    for name in batch:
        try:
            inventory.subset(name)
            selected = [host.name for host in inventory.get_hosts('all')]
        except Exception as err:
            selected = ['error: %s' % err]
        answers.append({'name': name, 'whole': parsed(name), 'split': split_host_pattern(name), 'selected': selected,
                        'old': all(unicodedata.category(c) != 'Cn' for c in name)})
json.dump(answers, sys.stdout)
`

// TestLimit: of names of every kind that an inventory may meet, those that CheckHostName passes are selected by
// --limit, each alone, by every release here. And a colon is refused only where a release would divide there.
func TestLimit(t *testing.T) {
	t.Parallel()
	bins := releases(t)
	var batches [][]string
	for batch := range slices.Chunk(strangeNames(), 200) {
		batches = append(batches, batch)
	}
	type answer struct {
		Name     string
		Whole    bool
		Split    []string
		Selected []string
		Old      bool
	}
	answers := map[string][]answer{}
	passed, colons := 0, 0
	for _, bin := range bins {
		var all []answer
		ask(t, bin, limits, batches, &all)
		for _, a := range all {
			answers[a.Name] = append(answers[a.Name], a)
			parts := 1 + 2*min(strings.Count(a.Name, "/")/2, 1) // qualified, as it seems
			if err := ansible.CheckHostName(a.Name, parts); err != nil || !a.Old {
				continue
			}
			passed++
			if strings.Contains(a.Name, ":") {
				colons++
			}
			if !slices.Equal(a.Selected, []string{a.Name}) {
				t.Errorf("%s: --limit %q selects %q, by %q", bin, a.Name, a.Selected, a.Split)
			}
			if strings.Contains(a.Name, ":") && !a.Whole {
				t.Errorf("%s: parse_address does not leave %q whole", bin, a.Name)
			}
		}
	}
	for name, all := range answers {
		err := ansible.CheckHostName(name, 1)
		divided := slices.ContainsFunc(all, func(a answer) bool { return !a.Whole || !slices.Equal(a.Selected, []string{name}) })
		if err != nil && strings.Contains(err.Error(), "has a colon") && !divided {
			t.Errorf("%q %v, but every release leaves it whole", name, err)
		}
	}
	t.Logf("%d names, %d passed, %d of these with colons", len(answers), passed/len(bins), colons/len(bins))
	if passed/len(bins) < 1000 || colons/len(bins) < 500 {
		t.Error("too few names passed for this test to say much")
	}
}

// releases returns the environments of ansible-core that there are.
func releases(t *testing.T) []string {
	t.Helper()
	bins := filepath.SplitList(os.Getenv("CRATON_TEST_ANSIBLE"))
	if len(bins) == 0 {
		t.Skip("needs ansible-core: `make test` makes its environments and sets CRATON_TEST_ANSIBLE")
	}
	return bins
}

// ask runs a program with a release of Ansible, which reads what is asked as JSON, and writes its answers so.
func ask(t *testing.T, bin, program string, asked, answers any) {
	t.Helper()
	text, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "python"), "-c", program, t.TempDir())
	cmd.Env = []string{"HOME=" + t.TempDir(), "LC_ALL=C.UTF-8", "ANSIBLE_CONFIG=" + filepath.Join("..", "..", "..", "examples", "ansible.cfg"), "ANSIBLE_HOST_PATTERN_MISMATCH=ignore"}
	cmd.Stdin = bytes.NewReader(text)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", bin, err, &stderr)
	}
	if err := json.Unmarshal(out, answers); err != nil {
		t.Fatal(err)
	}
}

// strangeNames returns thousands of different names. They are the same each time.
func strangeNames() []string {
	names := map[string]bool{}
	add := func(s string) {
		if s != "" && utf8.ValidString(s) {
			names[s] = true
		}
	}
	for _, s := range []string{
		"web.", "web.:22", "web:22", "web", "e/r/web:22", "e/r/web", "2001:db8::1.2.3.4", "64:ff9b::192.0.2.1", "fe80::1%eth0", "fe80::1", "h[1:3]", "h[1:3]:22", "[::1]:22",
		"[web]:22", "[web]", "a,b", "!web", "&web", "@web", "~web", "~web.*", "web*", "web?", "web 1", "web\t1", " web", "web ", "ü", "ü:22", "हिन्दी:22", "हिन्दी", "東京:443", "web:", ":web", ":22",
		"::", "::1", "::ffff:1.2.3.4", "::ffff:0:1.2.3.4", "::1.2.3.4", "0:0:0:0:0:0:1.2.3.4", "0:0:0:0:0:FFFF:1.2.3.4", "1::", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "2001:DB8::A", "all:22", "web:0", "web:99999",
		"web:" + strings.Repeat("1", 5000), "web:1_0", "web:+1", "a.b.c:1", "a..b:1", ".a:1", "a-:1", "a_:1", "_:1", "_a:1", "-a:1", "_", "-", "a:b:22", "52:54:00:12:34:56", "1.2.3.4:22", "1.2.3.999:22", "::1.2.3.fff",
		"a/b/c:1", "a/b:1/c", "fe80::/b/c", "fe80::1/b/c", "a;b", "a|b", "a'b", `a"b`, `a\b`, "a$b", "a#b", "a=b", "a(b)", "a{b}", "a^b", "a+b", "a.b", "A", "a",
	} {
		add(s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	address := func() string {
		var b [16]byte
		for i := range b {
			if r.IntN(3) == 0 {
				b[i] = byte(r.IntN(256))
			}
		}
		a := netip.AddrFrom16(b)
		switch r.IntN(6) {
		case 0:
			return strings.ToUpper(a.String())
		case 1:
			return a.StringExpanded()
		case 2:
			return a.WithZone(pick("eth0", "1")).String()
		case 3:
			return pick("::", "::ffff:", "64:ff9b::", "2001:db8::", "0:0:0:0:0:0:", "0:0:0:0:0:ffff:", "1::2:") + netip.AddrFrom4([4]byte(b[:4])).String()
		}
		return a.String()
	}
	for range 1500 {
		add(address())
		add(address() + pick(":22", "/64", ".", ":", "%", "]", ""))
	}
	for range 2500 { // of what parse_address looks at
		s := ""
		for range 1 + r.IntN(7) {
			s += pick("a", "web", "Z", "0", "9", "10", "é", "東", "ẍ", "٣", "²", "Ⅷ", ".", ".", "-", "_", ":", ":", ":22", "::", "f", "ffff", "%")
		}
		add(s)
		add(s + pick(":22", ":0", ":", ""))
	}
	for range 1500 { // of everything that has a meaning anywhere
		s := ""
		for range 1 + r.IntN(5) {
			s += pick("a", "b", "1", ".", "-", ":", "/", ",", " ", "!", "&", "@", "~", "*", "?", "[", "]", "[1:3]", "[0]", "#", ";", "{", "{{", "%", "\\", "$", "^", "(", "+", "|", "'", `"`, "\u00a0", "\u3000", "=")
		}
		add(s)
	}
	// Every character that may be in a word, and some that may not, before a port.
	for c := rune(0x80); c < 0x3000; c++ {
		if unicode.IsGraphic(c) {
			add("a" + string(c) + "b:22")
		}
	}
	all := make([]string, 0, len(names))
	for name := range names {
		all = append(all, name)
	}
	slices.Sort(all)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

package browser_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/craton-fleet/craton/internal/value"
)

// barbs are texts that do harm where they are not text.
var barbs = []string{
	`<script>harm()</script>`, `"><img src=x onerror=harm()>`, `' onmouseover='harm()`, `<svg/onload=harm()>`, `</title><script>harm()</script>`, `</script><script>harm()//`, `javascript:harm()`,
	`{{ harm }}`, `{{template "head"}}`, `${harm()}`, `<!--`, `-->`, `]]>`, `&lt;b&gt;&amp;#0;`, `<style>*{display:none}</style>`, `<base href=//elsewhere.example/>`, `<iframe srcdoc="<script>harm()</script>">`,
	`<meta http-equiv=refresh content="0;url=//elsewhere.example">`, `<link rel=stylesheet href=//elsewhere.example/x.css>`, `<form action=//elsewhere.example><input name=secret>`, `//elsewhere.example/x`,
	"\u202egnp.exe", "שלום", "مرحبا بالعالم", "\u2066a\u2069", "a\u200bb", "\u0007\u001b[31m", "\u007f\u0085", "日本語", "🙂", `\u0000`, `%00%0d%0a`, `../../etc/passwd`, `' OR 1=1 --`, "`id`", `$(id)`, "a\tb", "line\nline",
}

// So many hosts have so many variables each: 10,000 names of variables and as many values in all.
const hostileHosts, hostileVariables = 200, 50

// plain is a text as names may be: without what shows nothing or turns the direction of writing.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || value.Hidden(r) {
			return -1
		}
		return r
	}, text)
}

// barb is one of many texts that do harm, never the same.
func barb(random *rand.Rand, n int) string {
	return fmt.Sprintf("%s%s %d", barbs[random.IntN(len(barbs))], barbs[n%len(barbs)], n)
}

// hostileFleet has what do harm wherever there is a text; some values have 10 KB.
func hostileFleet() (fleet string, names map[string]bool, values []string) {
	random := rand.New(rand.NewPCG(1, 2))
	names = map[string]bool{}
	var hosts strings.Builder
	n := 0
	for h := range hostileHosts {
		name := plain(barb(random, h))
		names[name] = true
		var variables []string
		for range hostileVariables {
			n++
			text := barb(random, n)
			if n%500 == 0 {
				text += strings.Repeat("<script>harm()</script>", 450)
			}
			variables = append(variables, strconv.QuoteToASCII(plain(barb(random, n)))+": "+strconv.QuoteToASCII(text))
			values = append(values, text)
		}
		fmt.Fprintf(&hosts, "          - {name: %s, ip_address: 10.0.%d.%d, device_type: %s, note: %s, labels: [%s], variables: {%s}}\n",
			strconv.QuoteToASCII(name), h/100, h%100+1, strconv.QuoteToASCII(plain(barb(random, h))), strconv.QuoteToASCII(barb(random, h)), strconv.QuoteToASCII(plain(barb(random, h))), strings.Join(variables, ", "))
	}
	text := strconv.QuoteToASCII(barbs[0])
	return fmt.Sprintf("project: {variables: {%[1]s: %[1]s}}\nclouds:\n  - name: %[1]s\n    note: %[1]s\n    variables: {%[1]s: %[1]s}\n    regions:\n      - name: %[1]s\n        variables: {%[1]s: %[1]s}\n        networks: [{name: %[1]s, cidr: 10.0.0.0/24, gateway: 10.0.0.1, netmask: 255.255.255.0}]\n        hosts:\n%[2]s", text, hosts.String()), names, values
}

var hostile = sync.OnceValues(func() (*site, error) {
	fleet, _, _ := hostileFleet()
	return newUI(fleet)
})

// harmless finds what a page has that came out of a text.
const harmless = `(() => {
	const bad = [];
	for (const e of document.querySelectorAll("img, svg, iframe, object, embed, style, base, video, audio, math, body script, [style], form[action^='//'], a[href^='javascript']")) bad.push(e.outerHTML.slice(0, 200));
	for (const e of document.querySelectorAll("*")) for (const a of e.attributes) if (a.name.startsWith("on")) bad.push(e.outerHTML.slice(0, 200));
	if (document.querySelectorAll("script").length !== 1 || document.querySelectorAll("link").length !== 2 || document.querySelectorAll("meta").length !== 3) bad.push(document.head.outerHTML);
	if (/[\u202a-\u202e\u2066-\u2069\u200b\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/.test(document.documentElement.innerText)) bad.push("characters that show nothing, or turn the direction");
	return bad;
})()`

// TestHostile: 10,000 names and 10,000 values of variables that do harm where they are not text, and those of hosts,
// labels and notes, are shown as text on every page, and nothing in them ever runs or is loaded: a tab complains of
// every dialog, error and request to elsewhere.
func TestHostile(t *testing.T) {
	t.Parallel()
	s := need(t, hostile)
	_, names, values := hostileFleet()
	b := enter(t, s)
	shown := map[string]bool{}
	check := func(path string) {
		for _, found := range js[[]string](b, harmless) {
			t.Errorf("%s: %s", path, found)
		}
	}
	// read opens a list and what is behind it, checks each page, and gives where its rows lead.
	read := func(path, texts string) (rows []string) {
		for path != "" {
			b.open(path)
			got := js[struct{ Bad, Texts, Rows, Next []string }](b, `({ Bad: `+harmless+`, Texts: [...document.querySelectorAll("`+texts+`")].map((e) => e.textContent), Rows: [...document.querySelectorAll("tbody th a")].map((a) => a.href),
				Next: [...document.querySelectorAll("a[rel=next]")].map((a) => a.href) })`)
			for _, found := range got.Bad {
				t.Errorf("%s: %s", path, found)
			}
			for _, text := range got.Texts {
				shown[text] = true
			}
			rows = append(rows, got.Rows...)
			if path = ""; len(got.Next) == 1 {
				path = strings.TrimPrefix(got.Next[0], s.base)
			}
		}
		return rows
	}
	hosts := read("hosts", "tbody th a")
	for name := range names {
		if !shown[value.Escape(name)] {
			t.Errorf("no host is shown as %q", name)
		}
	}
	for _, host := range hosts {
		read(strings.TrimPrefix(host, s.base), ".variables code")
	}
	missing := 0
	for _, text := range values {
		if want := value.Escape(canonical(t, text)); len([]rune(want)) < 160 && !shown[want] {
			if missing++; missing < 10 {
				t.Errorf("no value is shown as %s", want)
			}
		}
	}
	if pages := b.walk([]string{""}, check); pages < 15 {
		t.Errorf("only %d pages", pages)
	}
	for i, text := range barbs { // and what the reader types
		if i%3 != 0 {
			continue
		}
		b.open("hosts")
		b.press("/")
		b.write(plain(text))
		b.until("!document.getElementById('found').hidden || document.activeElement.id === 'q'")
		check(text)
		b.leads(func() { b.press("Enter") })
		check(text)
	}
}

// canonical is a text as JSON.
func canonical(t *testing.T, text string) string {
	t.Helper()
	raw, err := value.Encode(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

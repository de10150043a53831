package browser_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/craton-fleet/craton/internal/skip"
)

// axe is axe-core; see the script axe.
var axe = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("./axe").Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, e.Stderr)
		}
		return "", err
	}
	text, err := os.ReadFile(strings.TrimSpace(string(out)))
	return string(text), err
})

// needAxe skips the test where axe-core cannot be had, unless it is required.
func needAxe(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil && os.Getenv(variable) != "required" {
		skip.Packages(t, "npm")
	}
	if _, err := axe(); err != nil {
		if os.Getenv(variable) != "required" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
}

// findings asks axe-core for what WCAG 2.2 AA forbids, and for what it calls best practice.
const findings = `axe.run(document, {
	runOnly: %s, resultTypes: ["violations"], preload: false,
}).then((r) => r.violations.map((v) => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 4).map((n) => "\t" + n.html.slice(0, 160) + "\n\t\t" + n.failureSummary.replaceAll("\n", " ")).join("\n")))`

// misfits finds what does not fit into the window: the page itself never scrolls sideways, and what does takes the
// focus and has a name. Nothing runs out of its cell of a table, or lies upon another one.
const misfits = `(() => {
	const bad = [], wide = document.documentElement;
	const scrolls = (e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX);
	const inside = (e) => { for (let p = e.parentElement; p; p = p.parentElement) if (scrolls(p)) return true; return false; };
	if (wide.scrollWidth > innerWidth) {
		bad.push("the page is " + wide.scrollWidth + " pixels wide");
		for (const e of document.querySelectorAll("body *"))
			if (e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 0.5 && !inside(e)) bad.push("\tto " + e.getBoundingClientRect().right + ": " + e.outerHTML.slice(0, 160));
	}
	for (const e of document.querySelectorAll("body *"))
		if (e.checkVisibility() && scrolls(e) && e.scrollWidth > e.clientWidth + 1 && !(e.tabIndex === 0 && e.role === "region" && (e.ariaLabel || document.getElementById(e.getAttribute("aria-labelledby")))))
			bad.push("it scrolls, and takes no focus or has no name: " + e.outerHTML.slice(0, 160));
	for (const cell of document.querySelectorAll("main td, main th, main dd, main dt")) {
		if (!cell.checkVisibility() || cell.closest("thead")) continue;
		const box = cell.getBoundingClientRect(), next = cell.nextElementSibling?.getBoundingClientRect();
		if (cell.scrollWidth > cell.clientWidth + 1) bad.push("it does not fit into its cell: " + cell.outerHTML.slice(0, 160));
		if (next && box.right > next.left + 1 && box.bottom > next.top + 1 && box.left < next.right - 1 && box.top < next.bottom - 1) bad.push("it lies upon its neighbour: " + cell.outerHTML.slice(0, 160));
		if (cell.clientWidth < 48 && cell.innerText.length > 12) bad.push("it is squeezed: " + cell.outerHTML.slice(0, 160));
	}
	return bad.slice(0, 12);
})()`

// What axe-core looks for: everything, and what colours alone can break.
const (
	everything = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]`
	colours    = `{ type: "rule", values: ["color-contrast", "link-in-text-block"] }`
)

// steady finds what has jumped since the page that is open began, which is nothing: when the frame behind the last
// change was drawn.
func (b *tab) steady() {
	b.Helper()
	for _, found := range js[[]string](b, "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(window.jumps)))))") {
		b.Errorf("%s: the layout jumps by %s", b.at(), found)
	}
}

// TestSteady: the layout does not jump where a page, its style and its module come slowly and in pieces, on a wide and
// on a narrow screen.
func TestSteady(t *testing.T) {
	t.Parallel()
	b := enter(t, need(t, mixed))
	call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	call(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Latency: 10, DownloadThroughput: 300 << 10, UploadThroughput: 300 << 10}}})
	pages := append(b.oddPages()[:3], "", "hosts", b.firstOf("hosts?at=40"), "networks", "variables", "variables/ntp", "compare?a=many&b=web-ams1", "compare?a=web-ams1&then=1", "changes", "find?q=ntp")
	for _, pixels := range []int64{1280, 320} {
		b.width(pixels)
		for _, path := range pages {
			b.open(path)
			b.steady()
		}
	}
	// Between the start of a part that folds and its summary, the browser's own word for one is not shown.
	if got := js[[]bool](b, `(() => {
		const part = document.body.appendChild(document.createElement("details")), seen = [part.checkVisibility()];
		part.innerHTML = "<summary>it</summary>";
		seen.push(part.checkVisibility());
		part.remove();
		return seen;
	})()`); !slices.Equal(got, []bool{false, true}) {
		t.Errorf("a part that folds is shown without and with its summary: %v", got)
	}
}

// inspect finds what is wrong with the looks of the page that is open: light and dark, wide and as narrow as a phone.
// No colour depends on the width (web.TestColoursAndWidths), so that a wide dark page speaks for a narrow one.
func (b *tab) inspect() {
	b.Helper()
	text, err := axe()
	if err != nil {
		b.Fatal(err)
	}
	b.steady()
	js[bool](b, text+";true")
	for _, look := range []struct {
		pixels         int64
		scheme, looked string
	}{{1280, "dark", colours}, {1280, "light", everything}, {320, "light", everything}} {
		b.width(look.pixels)
		b.looks(look.scheme)
		for _, found := range append(js[[]string](b, fmt.Sprintf(findings, look.looked)), js[[]string](b, misfits)...) {
			b.Errorf("%s, %d pixels wide, %s: %s", b.at(), look.pixels, look.scheme, found)
		}
	}
	b.width(1280)
	b.looks("light")
}

// oddFleet has what is hard to show: names of 250 characters, a host with 300 variables, a large value, 40 regions, and
// a host with nothing.
func oddFleet() string {
	long := func(word string) string { return strings.Repeat(word+"-", 250/(len(word)+1)) + word[:1] }
	var variables, regions strings.Builder
	for i := range 300 {
		fmt.Fprintf(&variables, "variable_%03d: %q, ", i, strings.Repeat("value ", 1+i%20))
	}
	big := map[string]any{"list": strings.Split(strings.Repeat("entry ", 600), " "), "text": strings.Repeat("x", 3000)}
	text, _ := json.Marshal(big)
	for i := range 40 {
		fmt.Fprintf(&regions, "      - {name: region-%02d, variables: {ntp: ntp-%[1]d.example}, hosts: [{name: host-%02[1]d, ip_address: 10.1.%[1]d.1, device_type: server, variables: {ntp: own-%[1]d}}]}\n", i)
	}
	return fmt.Sprintf(`
project: {variables: {ntp: pool.example}}
clouds:
  - name: %[1]q
    note: %[2]q
    variables: {%[3]s: %[1]q}
    regions:
      - name: %[1]q
        networks: [{name: %[1]q, cidr: "2001:db8:1234:5678:9abc:def0:1234:0/112", gateway: "2001:db8:1234:5678:9abc:def0:1234:1", netmask: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:0"}]
        cells:
          - name: %[1]q
            hosts:
              - name: %[4]q
                ip_address: "2001:db8:1234:5678:9abc:def0:1234:5678"
                device_type: %[1]q
                note: %[2]q
                labels: [%[1]q, web, a, b, c, d, e, f, g, h, i, j, k, l, m]
                variables: {big: %[5]s, %[3]s: %[4]q, none: null, off_: false, number: 12345678901234567890.50, empty: "", list: [], ntp: "here", nested: {a: {b: {c: [1, 2, {d: null}]}}}}
                interfaces: [{name: %[1]q, interface_type: ethernet, ip_address: "2001:db8::1"}]
              - {name: many, ip_address: 10.0.0.2, device_type: server, parent: %[4]q, variables: {%[6]s}}
              - {name: bare, ip_address: 10.0.0.3, device_type: server}
  - name: wide
    regions:
%[7]s`, long("Donaudampfschiffahrtsgesellschaft"), "A remark of two lines,\nand a word: "+strings.Repeat("y", 200), strings.Repeat("very_long_key_", 14), strings.Repeat("h", 250), text, variables.String(), regions.String())
}

// mixed is the shop, with what is hard to show beside it.
var mixed = sync.OnceValues(func() (*site, error) {
	s, err := newShop()
	if err != nil {
		return nil, err
	}
	return s, s.apply(oddFleet())
})

// oddPages are pages of what is hard to show that a walk through the shop does not come to: objects by a list that
// finds them.
func (b *tab) oddPages() (pages []string) {
	b.Helper()
	for _, list := range []string{"hosts?where=name%3Dhhh*", "hosts?where=name%3Dmany", "hosts?where=name%3Dbare", "clouds?where=name%3DDonau*", "regions?where=name%3DDonau*", "cells?where=name%3DDonau*", "networks?where=name%3DDonau*"} {
		pages = append(pages, b.firstOf(list))
	}
	return append(pages, pages[0]+"?key=big", "compare?a=many&b=bare", "variables/ntp")
}

// firstOf is the page of the first object of a list: ids are as objects were made, side by side.
func (b *tab) firstOf(list string) string {
	b.Helper()
	b.open(list)
	return js[string](b, "document.querySelector('tbody th a').href.slice("+strconv.Itoa(len(b.site.base))+")")
}

var empty = sync.OnceValues(func() (*site, error) {
	s, err := newSite()
	if err != nil {
		return nil, err
	}
	if _, err := s.run("server", "bootstrap", "--database", "sqlite:"+filepath.Join(s.dir, "fleet.db")); err != nil {
		return nil, err
	}
	return s, s.look()
})

// TestLooks: every page is as people need it, in light and dark, on a wide and on a narrow screen: axe-core finds
// nothing, the page does not scroll sideways, the layout does not jump. With CRATON_TEST_LOOKS=folder it leaves
// pictures there.
func TestLooks(t *testing.T) {
	for name, from := range map[string]struct {
		site  func() (*site, error)
		walk  []string // with what they lead to
		pages []string // alone
		least int
	}{
		"mixed": {mixed, []string{""}, []string{"compare?a=web-ams1&b=db-ams1", "compare?a=web-ams1&b=nobody", "compare?a=web-ams1&then=1", "variables/nothing", "changes?user=nobody", "hosts?where=name%3Dnobody", "find?q=ntp", "?at=40", "hosts?at=40"}, 20},
		"empty": {empty, []string{"", "hosts", "changes", "variables", "compare"}, nil, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := need(t, from.site)
			needAxe(t)
			b := enter(t, s)
			look := func(path string) {
				b.inspect()
				b.picture(name, path)
			}
			if pages := b.walk(from.walk, look); pages < from.least {
				t.Errorf("only %d pages", pages)
			}
			if name == "mixed" {
				from.pages = append(from.pages, b.oddPages()...)
				then := b.firstOf("hosts?at=40")
				from.pages = append(from.pages, b.firstOf("hosts")+"?q=ntp", then, then+"&key=city")
			}
			for _, path := range from.pages {
				b.open(path)
				look(path)
			}
			if name == "empty" { // refusals look the same everywhere
				return
			}
			for path, status := range map[string]int64{"hosts/99999": 404, "nothing": 404, "changes?kind=x": 400, "hosts?at=soon": 400, "hosts?where=%3D": 200} {
				if got := b.load(b.site.base + path); got != status {
					t.Errorf("%s: %d", path, got)
				}
				look(path)
			}
		})
	}
}

// picture leaves pictures of the page that is open, where CRATON_TEST_LOOKS says.
func (b *tab) picture(site, path string) {
	b.Helper()
	dir := os.Getenv("CRATON_TEST_LOOKS")
	if dir == "" {
		return
	}
	name := site + "-" + strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(path), "-"), "-")
	for _, pixels := range []int64{320, 768, 1280} {
		b.width(pixels)
		for _, scheme := range []string{"light", "dark"} {
			b.looks(scheme)
			ctx, end := b.limit()
			image, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			end()
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("%.60s-%d-%s.png", name, pixels, scheme)), image, 0o600)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.width(1280)
	b.looks("light")
}

// TestUserPreferences: the page follows what readers wish of their system: dark, without motion, on paper, with more
// space between letters.
func TestUserPreferences(t *testing.T) {
	t.Parallel()
	b := enter(t, need(t, shop))
	b.follow("Hosts")
	b.follow("web-ams1")
	const ground, ink = "getComputedStyle(document.body).backgroundColor", "getComputedStyle(document.body).color"
	light, lightInk := js[string](b, ground), js[string](b, ink)
	const spaced = `(() => { const more = new CSSStyleSheet(); more.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-bottom: 2em !important }"); document.adoptedStyleSheets = [more]; return true })()`
	host := b.at()
	b.width(320)
	for _, path := range []string{"", "hosts", "compare?a=web-ams1&b=db-ams1", "changes", "variables/ntp_servers", host} { // WCAG 1.4.12
		b.open(path)
		js[bool](b, spaced)
		for _, found := range js[[]string](b, misfits) {
			t.Errorf("%s, with more space between letters: %s", path, found)
		}
	}
	b.width(1280)
	b.open(host)
	b.looks("dark")
	if dark := js[string](b, ground); dark == light || js[string](b, ink) == lightInk {
		t.Errorf("dark is as light: %s", dark)
	}
	const moves = `[...document.querySelectorAll("*")].filter((e) => { const s = getComputedStyle(e); return parseFloat(s.transitionDuration) > 0 || s.animationName !== "none"; }).length`
	b.looks("light", "prefers-reduced-motion", "reduce")
	if n := js[int](b, moves); n > 0 {
		t.Errorf("%d elements move", n)
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print", Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	if got := js[string](b, ground); got != "rgb(255, 255, 255)" || js[string](b, ink) != "rgb(0, 0, 0)" {
		t.Errorf("paper is %s", got)
	}
	if left := js[[]string](b, `[...document.querySelectorAll("nav, .search, .moment, button, .skip")].filter((e) => e.checkVisibility()).map((e) => e.outerHTML.slice(0, 80))`); len(left) > 0 {
		t.Errorf("paper has %v", left)
	}
	if cut := js[[]string](b, `[...document.querySelectorAll("*")].filter((e) => e.checkVisibility() && ["auto", "scroll"].includes(getComputedStyle(e).overflowX)).map((e) => e.className)`); len(cut) > 0 {
		t.Errorf("on paper nothing scrolls: %v", cut)
	}
	b.width(718) // A4
	for _, path := range []string{"", "hosts", "compare?a=web-ams1&b=db-ams1", "variables", "find?q=ntp"} {
		b.open(path)
		if beyond := js[[]string](b, `[...document.querySelectorAll("main *")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))`); len(beyond) > 0 {
			t.Errorf("%s is wider than paper: %v", path, beyond)
		}
	}
	ctx, end := b.limit()
	defer end()
	paper, err := chromedp.Run(ctx, chromedp.PrintToPDF())
	if err != nil || len(paper) < 1000 {
		t.Errorf("%d bytes of PDF: %v", len(paper), err)
	}
}

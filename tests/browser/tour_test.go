package browser_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestTour: from the fleet to a list, a search, a host, one of its variables, that in the fleet, a comparison, what was
// changed: by clicks.
func TestTour(t *testing.T) {
	t.Parallel()
	b := enter(t, need(t, shop))
	b.has("cloud prod", "region ams", "cell a1")
	b.follow("Hosts")
	b.has("web-ams1", "10.10.10.21", "kvm-ams1", "craton host-list")
	b.click("#q")
	b.write("web-ams")
	b.until("document.querySelectorAll('#found a').length === 4")
	b.write("1")
	b.until("document.querySelectorAll('#found a').length === 1")
	b.leads(func() { b.click("#found a") })
	b.has("host web-ams1", "cloud prod / region ams / cell a1", "workers 24 this host", `maintenance_window "Mon 03:00-05:00"`, "kvm-ams1", "twice the memory since Monday", "craton explain")
	if js[bool](b, "document.querySelector('.hides li').checkVisibility()") {
		t.Error("what a value hides is shown before it is asked for")
	}
	b.click(".hides summary")
	b.until("document.querySelector('.hides li').checkVisibility()")
	b.follow("ntp_servers")
	b.has("variable ntp_servers", "not set", "0.pool.ntp.example")
	b.follow("Values on all hosts")
	b.has("variable ntp_servers", "Hosts with this variable: 24", "ntp.lab.shop.example", "craton explain --key ntp_servers")
	b.follow("Compare")
	b.click("#a")
	b.write("web-ams1")
	b.click("#b")
	b.write("web-ams2")
	b.leads(func() { b.press("Enter") })
	b.has("host web-ams1", "host web-ams2", "workers", "ntp_servers", "craton diff")
	b.follow("Changes")
	b.has("update host prod/ams/a1/web-ams1", "its own clock, until the switch is mended", "16", "24")
	b.click("#f-key")
	b.write("dns_servers")
	b.leads(func() { b.press("Enter") })
	b.has("the second resolver")
	if strings.Contains(b.main(), "its own clock") {
		t.Error("the filter does nothing")
	}
	b.follow("prod/ams")
	b.has("region ams", "10.10.0.54")
}

// TestSearch: what is typed is looked for where the reader is, the arrows go through what was found, Escape closes it,
// Enter shows the list.
func TestSearch(t *testing.T) {
	t.Parallel()
	b := enter(t, need(t, shop))
	b.press("/")
	b.write("10.20.0.0/24")
	b.until("document.querySelectorAll('#found a').length === 3")
	b.press("Down", "Down")
	if js[bool](b, "document.activeElement !== document.querySelectorAll('#found a')[1]") {
		t.Error("the arrows do not lead to what was found")
	}
	b.press("Escape")
	b.until("document.getElementById('found').hidden && document.activeElement.id === 'q'")
	b.leads(func() { b.press("Enter") })
	if at := b.at(); at != "hosts?where=ip%3D10.20.0.0%2F24" {
		t.Error(at)
	}
	b.has("kvm-fra1", "kvm-fra2", "bastion-fra")
	b.open("cells")
	b.press("/")
	b.write("f")
	b.write("1")
	b.until("document.querySelector('#found')?.innerText.includes('f1')")
	b.press("Down")
	b.leads(func() { b.press("Enter") })
	b.has("cell f1")
	b.press("/")
	b.write("=")
	b.write("=")
	b.leads(func() { b.press("Enter") })
	b.has("column")
}

// TestKeyboard: the whole tour by keys alone; what has the focus can be seen, and nothing keeps it.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	b := enter(t, need(t, shop))
	b.press("Tab")
	if got := js[string](b, "document.activeElement.innerText"); got != "Skip to the content" {
		t.Errorf("first is %q", got)
	}
	if !js[bool](b, "document.activeElement.getBoundingClientRect().left >= 0") {
		t.Error("the way to the content is not shown when it has the focus")
	}
	b.press("Enter")
	b.until("document.activeElement.id === 'main'")
	b.rowOf("ams")
	b.leads(func() { b.press("Enter") })
	b.has("region ams", "Contents:")
	b.leads(func() { b.press("g", "h") })
	b.press("/")
	b.write("db-ams1")
	b.until("document.querySelectorAll('#found a').length === 1")
	b.press("Down")
	b.leads(func() { b.press("Enter") })
	b.has("host db-ams1")
	b.stops()
	b.rowOf("ntp_servers")
	b.press("k", "j")
	b.leads(func() { b.press("Enter") })
	b.has("variable ntp_servers", "ptp.ams.shop.example")
	for key, want := range map[string]string{"f": "Fleet", "d": "sw-ams-a1", "c": "Cells", "r": "Regions", "v": "Variables", "l": "Changes"} {
		b.leads(func() { b.press("g", key) })
		b.has(want)
	}
	b.press("?")
	b.until("document.querySelector('dialog').open")
	b.has("next row")
	b.press("Escape")
	b.until("!document.querySelector('dialog').open")
	b.open("compare")
	b.press("Tab", "Tab")
	for js[string](b, "document.activeElement.id") != "a" {
		b.press("Tab")
	}
	b.write("web-ams1")
	b.press("Tab", "Tab")
	b.write("1")
	b.leads(func() { b.press("Enter") })
	b.has("from revision 1 to now")
}

// rowOf goes down from row to row, to the one that begins with a name.
func (b *tab) rowOf(name string) {
	b.Helper()
	for range 30 {
		b.press("j")
		if js[bool](b, "document.activeElement.innerText === "+quote(name)+" && document.activeElement === document.querySelector('[data-selected] a')") {
			return
		}
	}
	b.Fatalf("%s: no row of %s: %.500s", b.at(), name, b.text())
}

// stops goes through all that takes the focus: it can be seen that it has it, and behind the last comes the browser's
// own.
func (b *tab) stops() {
	b.Helper()
	want := js[int](b, `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary, [tabindex='0']")].filter((e) => e.checkVisibility()).length`)
	js[bool](b, "document.activeElement.blur() ?? (window.stops = 0) === 0")
	for range want + 5 {
		b.press("Tab")
		seen := js[string](b, `(() => {
			const e = document.activeElement;
			if (e === document.body) return "end";
			if (e.dataset.stop) return "again";
			e.dataset.stop = "yes";
			window.stops++;
			const style = getComputedStyle(e), box = e.getBoundingClientRect();
			if (!e.matches(":focus-visible") || style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return "no outline: " + e.outerHTML;
			if (box.width === 0 || box.bottom < 0 || box.top > innerHeight || box.right < 0 || box.left > innerWidth) return "out of sight: " + e.outerHTML;
			return "";
		})()`)
		if seen == "end" || seen == "again" {
			break
		}
		if seen != "" {
			b.Errorf("%s: %.300s", b.at(), seen)
		}
	}
	if got := js[int](b, "window.stops"); got < want {
		b.Errorf("%s: Tab reaches %d of %d: %v", b.at(), got, want, js[[]string](b, `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), summary, [tabindex='0']")].filter((e) => e.checkVisibility() && !e.dataset.stop).map((e) => e.outerHTML.slice(0, 100))`))
	}
}

// TestPast: any page as of a moment says so, leads only to pages of that moment and back to now.
func TestPast(t *testing.T) {
	t.Parallel()
	b := enter(t, need(t, shop))
	b.follow("Hosts")
	b.follow("web-ams1")
	b.has("workers 24", "As of now")
	b.click(".moment summary")
	b.click("#at")
	b.write("2")
	b.leads(func() { b.press("Enter") })
	b.has("Past state: revision 2", "Past state", "Back to now")
	if strings.Contains(b.main(), "workers") {
		t.Error("that is not how it was")
	}
	moment := js[string](b, "fetch("+quote(b.site.base+"changes.json")+").then((r) => r.json()).then((d) => new Date(new Date(d.events.find((e) => e.message?.startsWith('twice')).time).valueOf() - 1).toISOString())")
	pages := b.walk([]string{"?at=" + moment}, func(path string) {
		switch {
		case !strings.Contains(path, "at="):
		case !js[bool](b, "document.querySelector('.then').checkVisibility() && document.querySelector('.then').getBoundingClientRect().top < 200 && document.title.includes('revision 54')"):
			t.Errorf("%s does not say when it was", path)
		default:
			for _, to := range b.links() {
				if !strings.Contains(to, "at=") && js[bool](b, "!document.querySelector('.then a').href.endsWith("+quote(to)+")") {
					t.Errorf("%s leads to the present: %s", path, to)
				}
			}
		}
	})
	if pages < 15 {
		t.Errorf("only %d pages", pages)
	}
	b.open("hosts?at=2")
	b.follow("Back to now")
	if at := b.at(); at != "hosts" {
		t.Error(at)
	}
}

// TestTimes: times are in the reader's zone, and in UTC for who asks, or who has no JavaScript.
func TestTimes(t *testing.T) {
	t.Parallel()
	b := enter(t, need(t, shop))
	call(b, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Kolkata"})
	b.open("changes")
	const first = "document.querySelector('main time')"
	here, title, exact := js[string](b, first+".innerText"), js[string](b, first+".title"), js[string](b, first+".dateTime")
	if !strings.HasSuffix(title, " UTC") || !strings.Contains(here, ":") || strings.Contains(here, "UTC") || here[:13] == title[:13] {
		t.Errorf("%q, %q of %q", here, title, exact)
	}
	if !js[bool](b, "new Date("+first+".title.replace(' UTC', 'Z').replace(' ', 'T')).valueOf() === new Date("+first+".dateTime).valueOf()") {
		t.Errorf("%q is not %q", title, exact)
	}
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.open("changes")
	if plain := js[string](b, first+".innerText"); !strings.HasSuffix(plain, " UTC") {
		t.Error(plain)
	}
}

// TestNoScript: without JavaScript every page is there and every form works.
func TestNoScript(t *testing.T) {
	t.Parallel()
	b := enter(t, need(t, shop))
	call(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	pages := b.walk([]string{""}, func(path string) {
		if text := b.main(); text == "" || js[bool](b, "[...document.querySelectorAll('button')].some((e) => e.checkVisibility({ visibilityProperty: true }) && e.type === 'button')") {
			t.Errorf("%s has a button that does nothing: %.300s", path, text)
		}
	})
	if pages < 20 {
		t.Errorf("only %d pages", pages)
	}
	submit := func(at, field, text, button, want string) {
		t.Helper()
		b.open(at)
		if js[bool](b, "document.querySelector("+quote(field)+").closest('details') !== null") {
			b.click(".moment summary")
		}
		b.click(field)
		b.write(text)
		if button == "" {
			b.gone(func() { b.press("Enter") })
		} else {
			b.gone(func() { b.click(button) })
		}
		b.has(want)
	}
	submit("", "#q", "web-fra", "", "web-fra3")
	submit("hosts", "#where", "label=canary", ".terms button", "web-fra1")
	submit("hosts", "#where", "=", ".terms button", "column 1")
	submit("hosts", "#at", "1", ".moment button", "Past state: revision 1")
	submit("variables/ntp_servers", "#where", "label=canary", ".terms button", "Hosts with this variable: 2")
	submit("compare?b=web-ams2", "#a", "web-ams1", "", "workers")
	submit("changes", "#f-key", "dns_servers", ".filters button", "the second resolver")
	b.open("hosts?where=name%3Dweb-ams1")
	b.gone(func() { b.click("tbody a") })
	b.do(chromedp.Click(chromedp.CSS(".hides summary")))
	if !js[bool](b, "document.querySelector('.hides li').checkVisibility()") {
		t.Error("what a value hides cannot be looked at")
	}
}

// gone is [tab.leads] without JavaScript in the page.
func (b *tab) gone(do func()) {
	b.Helper()
	js[bool](b, "(document.documentElement.dataset.left = 'yes') === 'yes'")
	do()
	b.until("document.documentElement.dataset.left === undefined && document.readyState === 'complete'")
}

// TestNoAnswer: where the fleet is not there any more, a page says so, and leads on.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	needBrowser(t)
	needAxe(t)
	s, err := newUI(small("lost"))
	if err != nil {
		t.Fatal(err)
	}
	b := enter(t, s)
	b.follow("Hosts")
	b.has("lost-host")
	if err := os.Remove(filepath.Join(s.dir, "fleet.db")); err != nil {
		t.Fatal(err)
	}
	if status := b.load(s.base + "hosts"); status < 500 {
		t.Errorf("%d", status)
	}
	b.has("The fleet is unavailable", "Try again")
	b.inspect()
	b.picture("lost", "hosts")
}

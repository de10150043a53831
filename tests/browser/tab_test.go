package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a tab waits for what must come.
const patience = 20 * time.Second

// tab is a tab that looks at a site, and complains of what no page may do.
type tab struct {
	testing.TB
	ctx  context.Context //nolint:containedctx // the tab itself, by package chromedp
	site *site

	mu         sync.Mutex
	complaints []string
	sent       []string // requests
	status     int64    // of the page
}

// probe runs before a page's own scripts: it tells the console what the policy forbade, and keeps how the layout has
// jumped.
const probe = `
addEventListener("securitypolicyviolation", (e) => console.error("the policy forbids " + e.violatedDirective + " " + e.blockedURI));
window.jumps = [];
new PerformanceObserver((list) => { for (const e of list.getEntries()) if (!e.hadRecentInput) window.jumps.push(e.value + ": " + e.sources.map((s) => (s.node?.outerHTML ?? s.node?.data ?? "").slice(0, 100) + JSON.stringify([s.previousRect, s.currentRect])).join(" ")); }).observe({ type: "layout-shift", buffered: true });
`

// signedOut makes a tab of a browser that shares no cookie with the other tabs.
var signedOut = chromedp.WithNewBrowserContext

// newTab opens a tab. With [signedOut] it has cookies of its own.
func newTab(t testing.TB, s *site, options ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(needBrowser(t), options...)
	t.Cleanup(end)
	b := &tab{TB: t, ctx: ctx, site: s}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	call(b, log.Enable, cdp.Empty{})
	call(b, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	call(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: probe})
	b.width(1280)
	b.looks("light")
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for i, c := range b.complaints {
			if i == 10 {
				t.Errorf("and %d more", len(b.complaints)-i)
				break
			}
			t.Error(c)
		}
	})
	return b
}

// enter opens the site in a new tab by the address that works once, or, when it was used, with the cookie that it left.
func enter(t testing.TB, s *site) *tab {
	t.Helper()
	b := newTab(t, s)
	entering.Lock()
	defer entering.Unlock()
	if s.entry != "" {
		b.load(s.entry)
		b.until("location.href === " + quote(s.base) + " && document.readyState === 'complete'")
		s.entry = ""
	} else {
		b.open("")
	}
	return b
}

var entering sync.Mutex

// hear listens to the browser.
func (b *tab) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, a := range e.Args {
			words = append(words, string(a.Value)+a.Description)
		}
		b.complain("the console has %s: %s", e.Type, strings.Join(words, " "))
	case *runtime.EventExceptionThrown:
		text, _ := json.Marshal(e.ExceptionDetails)
		b.complain("an exception: %s", text)
	case *log.EventEntryAdded:
		if e.Entry.Source != log.EntrySourceNetwork || !strings.HasPrefix(e.Entry.URL, b.site.base) { // a page that is not there is no mistake of a page
			b.complain("the log has %s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
		}
	case *page.EventJavascriptDialogOpening:
		b.complain("a dialog: %s", e.Message)
		go func() {
			_, _ = chromedp.Call(b.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
		}()
	case *network.EventRequestWillBeSent:
		b.mu.Lock()
		b.sent = append(b.sent, e.Request.URL)
		b.mu.Unlock()
		if !strings.HasPrefix(e.Request.URL, b.site.origin()+"/") {
			b.complain("a request to %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Type == network.ResourceTypeDocument {
			b.mu.Lock()
			b.status = e.Response.Status
			b.mu.Unlock()
		}
	}
}

func (b *tab) complain(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = append(b.complaints, fmt.Sprintf(format, args...))
}

// limit is a context for one step.
func (b *tab) limit() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, patience)
}

// call runs a command of the protocol.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.Helper()
	ctx, end := b.limit()
	defer end()
	result, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.Fatalf("%s: %v", command.Method, err)
	}
	return result
}

// do runs actions.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, end := b.limit()
	defer end()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("at %s: %v", b.at(), err)
	}
}

// js is what an expression comes to in the page.
func js[T any](b *tab, expression string) T {
	b.Helper()
	ctx, end := b.limit()
	defer end()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%.200s: %v", expression, err)
	}
	return v
}

// load opens a URL and gives the status of the answer.
func (b *tab) load(to string) int64 {
	b.Helper()
	ctx, end := b.limit()
	defer end()
	answer, err := chromedp.Run(ctx, chromedp.NavigateResponse(to))
	if err != nil || answer == nil {
		b.Fatalf("%s: %v", to, err)
	}
	return answer.Status
}

// open opens a page of the site that is there.
func (b *tab) open(path string) {
	b.Helper()
	if status := b.load(b.site.base + path); status != 200 {
		b.Fatalf("%s: %d\n%.1500s", path, status, b.text())
	}
}

// at is where the tab is, below the base of the site.
func (b *tab) at() string {
	ctx, end := b.limit()
	defer end()
	at, err := chromedp.Run(ctx, chromedp.Location())
	if err != nil {
		return err.Error()
	}
	return strings.TrimPrefix(at, b.site.base)
}

// text is what the page shows, blanks as one.
func (b *tab) text() string {
	b.Helper()
	return strings.Join(strings.Fields(js[string](b, "document.body.innerText")), " ")
}

// main is what the page shows between its head and its foot.
func (b *tab) main() string {
	b.Helper()
	return strings.Join(strings.Fields(js[string](b, "document.querySelector('main').innerText")), " ")
}

// has finds what the page does not show.
func (b *tab) has(wants ...string) {
	b.Helper()
	text := b.text()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			b.Errorf("%s: %q is not in\n%.1500s", b.at(), want, text)
		}
	}
}

// until waits until an expression is true.
func (b *tab) until(expression string) {
	b.Helper()
	ctx, end := b.limit()
	defer end()
	for {
		good, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("!!("+expression+")"))
		switch {
		case err == nil && good:
			return
		case ctx.Err() != nil:
			b.Fatalf("at %s: it is not so: %s\n%.1500s", b.at(), expression, b.text())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// leads does what leads to another page, and waits for that.
func (b *tab) leads(do func()) {
	b.Helper()
	js[bool](b, "window.left = true")
	do()
	b.until("window.left === undefined && document.readyState === 'complete'")
}

// press presses keys, one after the other: a character, or the name of a key.
func (b *tab) press(keys ...string) {
	b.Helper()
	for _, key := range keys {
		if code, named := map[string]string{"Tab": kb.Tab, "Enter": kb.Enter, "Escape": kb.Escape, "Down": kb.ArrowDown, "Up": kb.ArrowUp}[key]; named {
			key = code
		}
		for _, r := range key {
			b.key(r)
		}
	}
}

// key presses a key as a keyboard does: what it writes comes with it, and not where the page has taken the key for
// itself.
func (b *tab) key(r rune) {
	b.Helper()
	events := kb.Encode(r)
	for i, e := range events {
		if e.Type == kb.KeyChar {
			events[i-1].Text, events[i-1].UnmodifiedText = e.Text, e.UnmodifiedText
		}
	}
	for _, e := range events {
		if e.Type != kb.KeyChar {
			call(b, input.DispatchKeyEvent, *e)
		}
	}
}

// write writes a text where the cursor is.
func (b *tab) write(text string) {
	b.Helper()
	for _, r := range text {
		b.key(r)
	}
}

// click clicks on the first element that a selector of CSS finds.
func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// follow clicks on the first link or button that shows a text, and waits for the page that it leads to.
func (b *tab) follow(text string) {
	b.Helper()
	mark := fmt.Sprintf(`(() => {
		const found = [...document.querySelectorAll("a[href], button, summary")].find((e) => e.checkVisibility() && e.innerText.trim() === %s);
		found?.setAttribute("data-follow", "");
		return Boolean(found);
	})()`, quote(text))
	if !js[bool](b, mark) {
		b.Fatalf("%s: nothing to follow is called %q:\n%s", b.at(), text, b.text())
	}
	b.leads(func() { b.click("[data-follow]") })
}

// width makes the window so wide.
func (b *tab) width(pixels int64) {
	b.Helper()
	b.do(chromedp.EmulateViewport(pixels, 800))
}

// looks makes the reader's system light or dark, and gives other wishes of it in pairs.
func (b *tab) looks(scheme string, wishes ...string) {
	b.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	for pair := range slices.Chunk(wishes, 2) {
		features = append(features, &emulation.MediaFeature{Name: pair[0], Value: pair[1]})
	}
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features})
}

// quote is a text as JavaScript reads it.
func quote(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

// links are the pages that a page leads to, below the base of the site.
func (b *tab) links() []string {
	b.Helper()
	return b.below(js[[]string](b, "[...document.querySelectorAll('a[href]')].map((a) => a.href)"))
}

// kindOf is what pages of one template have in common: the path but for names and ids, and the names of the parameters.
func kindOf(path string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	first, _, deeper := strings.Cut(u.Path, "/")
	if deeper {
		first += "/*"
	}
	var names []string
	for name := range u.Query() {
		names = append(names, name)
	}
	slices.Sort(names)
	return first + "?" + strings.Join(names, "&")
}

// fetched is an answer that the browser has got and not drawn.
type fetched struct {
	Status int64
	Text   string   // all of it
	Shown  string   // of a page, what it shows, blanks as one
	Links  []string // of a page, absolute
}

// fetch gets URLs as who is signed in, without drawing them: for what only an answer tells, at a tenth of the time.
func (b *tab) fetch(to ...string) []fetched {
	b.Helper()
	if len(to) == 0 {
		return nil
	}
	list, _ := json.Marshal(to)
	return js[[]fetched](b, `Promise.all(`+string(list)+`.map(async (to) => {
		const answer = await fetch(to), Text = await answer.text(), page = new DOMParser().parseFromString(Text, "text/html");
		return { Status: answer.status, Text, Shown: page.body.textContent.replace(/\s+/g, " "), Links: [...page.querySelectorAll("a[href]")].map((a) => new URL(a.getAttribute("href"), answer.url).href) };
	}))`)
}

// below are the paths of URLs that are below the base of the site; others are a mistake of the page.
func (b *tab) below(urls []string) (paths []string) {
	b.Helper()
	for _, to := range urls {
		to, _, _ = strings.Cut(to, "#")
		if path, inside := strings.CutPrefix(to, b.site.base); inside {
			paths = append(paths, path)
		} else if to != "" {
			b.Errorf("%s leads to %s", b.at(), to)
		}
	}
	return paths
}

// wander is [tab.walk] by [tab.fetch].
func (b *tab) wander(from []string, look func(path, shown string)) (count int) {
	b.Helper()
	seen := map[string]bool{}
	for todo := from; len(todo) > 0; {
		var some []string
		for _, path := range todo {
			if u, err := url.Parse(path); err == nil && !strings.HasSuffix(u.Path, ".json") && !seen[kindOf(path)] {
				seen[kindOf(path)] = true
				some = append(some, b.site.base+path)
			}
		}
		todo = nil
		for i, got := range b.fetch(some...) {
			switch {
			case got.Status != http.StatusOK:
				b.Errorf("%s: %d\n%.1000s", some[i], got.Status, got.Shown)
				continue
			}
			count++
			look(some[i], got.Shown)
			todo = append(todo, b.below(got.Links)...)
		}
	}
	return count
}

// walk looks at pages and at those that they lead to, one of each kind. A twin for programs is no page.
func (b *tab) walk(from []string, look func(path string)) (count int) {
	b.Helper()
	seen := map[string]bool{}
	for todo := from; len(todo) > 0; todo = todo[1:] {
		path := todo[0]
		if u, err := url.Parse(path); err != nil || strings.HasSuffix(u.Path, ".json") || seen[kindOf(path)] {
			continue
		}
		seen[kindOf(path)] = true
		switch status := b.load(b.site.base + path); {
		case status != http.StatusOK:
			b.Errorf("%s: %d\n%.1000s", path, status, b.text())
			continue
		}
		count++
		look(path)
		todo = append(todo, b.links()...)
	}
	return count
}

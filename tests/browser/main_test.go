package browser_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/craton-fleet/craton/internal/skip"
	"github.com/craton-fleet/craton/tools/compile"
)

// variable makes tests fail, not skip, where chromium or axe-core is missing: "required".
const variable = "CRATON_TEST_BROWSER"

const root = "../.."

// ends are what ends when all tests have, the last first.
var ends struct {
	sync.Mutex
	all []func()
}

func atEnd(f func()) {
	ends.Lock()
	defer ends.Unlock()
	ends.all = append(ends.all, f)
}

func TestMain(m *testing.M) {
	status := m.Run()
	for _, end := range slices.Backward(ends.all) {
		end()
	}
	os.Exit(status)
}

// folder is a new one that goes when all tests have ended.
func folder() (string, error) {
	dir, err := os.MkdirTemp("", "craton-browser-")
	atEnd(func() { _ = os.RemoveAll(dir) })
	return dir, err
}

// program is the real program, built once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := folder()
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "craton")
	return file, compile.Program{}.Build(context.Background(), file)
})

// browser is the one chromium of all tests; each has tabs of its own.
var browser = sync.OnceValues(func() (context.Context, error) {
	file, err := exec.LookPath("chromium")
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(file), chromedp.WindowSize(1280, 800))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // chromium's sandbox is not for root; it sees pages of this test only
	}
	allocator, gone := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, end := chromedp.NewContext(allocator)
	atEnd(func() { end(); gone() })
	return ctx, chromedp.Do(ctx)
})

// needBrowser is the browser; where there is none, the test is skipped unless it is required.
func needBrowser(t testing.TB) context.Context {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil && os.Getenv(variable) != "required" {
		skip.Packages(t, "chromium")
	}
	ctx, err := browser()
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

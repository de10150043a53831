// Package browser tests the page of `craton ui` and `craton server` as people use it: in a real browser, Debian's
// chromium, with the real program. Its tests drive one chromium through package chromedp.
//
// A tab reports what no page may do: a request to another origin, a violation of the policy, an error or a warning on
// the console, an exception, a dialog, a layout shift. Each of them fails any test.
//
// [axe-core] finds violations of WCAG AA; the script axe downloads it once, in one version, into .cache.
//
//	CRATON_TEST_BROWSER=required go test ./tests/browser              # nothing is skipped where chromium or axe-core is missing
//	make screenshots                                                  # take the screenshots in docs/images again
//	CRATON_TEST_LOOKS=/tmp/looks go test ./tests/browser -run TestLooks   # screenshots of every page to look at
//
// [axe-core]: https://github.com/dequelabs/axe-core
package browser

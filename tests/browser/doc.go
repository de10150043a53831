// Package browser looks at the page of `craton ui` and `craton server` as people do: in a real browser, Debian's chromium,
// over the real program. Its tests drive one chromium through package chromedp.
//
// A tab complains of what no page may do: a request to another origin, a violation of the policy, an error or a warning on the
// console, an exception, a dialog, a jump of the layout. Every test fails of that, whatever it looks for.
//
// [axe-core] finds what WCAG AA forbids; the script axe fetches it once, at one version, into .cache.
//
//	CRATON_TEST_BROWSER=required go test ./tests/browser              # nothing is skipped where chromium or axe-core is missing
//	make screenshots                                                  # make the pictures of docs/images anew
//	CRATON_TEST_LOOKS=/tmp/looks go test ./tests/browser -run TestLooks   # pictures of every page to look at
//
// [axe-core]: https://github.com/dequelabs/axe-core
package browser

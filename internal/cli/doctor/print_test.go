package doctor

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/internal/cli/show"
)

// TestDoctorLines: what is skipped for one reason shares a line, and on a narrow terminal nothing is lost.
func TestDoctorLines(t *testing.T) {
	t.Parallel()
	report := func(look show.Appearance) string {
		var b bytes.Buffer
		p := &doctorPrinter{w: &b, look: look}
		d := &doctor{report: p.print}
		d.ok("url", "http://127.0.0.1/a-path-that-is-longer-than-the-terminal-is-wide/and/longer/still")
		d.warn("clock", "set it", "this machine's clock is %s the server's", "behind")
		d.skip("not connected", "api", "pages")
		d.skip("Ansible was not found", "collection")
		d.problem("inventory", "run `this command that is not broken into lines`", "two hosts are called %q", "web")
		p.flush()
		return b.String()
	}
	const want = `ok       url: http://127.0.0.1/a-path-that-is-longer-than-the-terminal-is-wide/and/longer/still
warning  clock: this machine's clock is behind the server's
         -> set it
skipped  api, pages: not connected
skipped  collection: Ansible was not found
problem  inventory: two hosts are called "web"
         -> run ` + "`this command that is not broken into lines`" + `
`
	if diff := cmp.Diff(want, report(show.Appearance{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const narrow = `ok       url: http://127.0.0.1/a
         -path-that-is-longer-
         than-the-terminal-is-
         wide/and/longer/still
warning  clock: this machine's
         clock is behind the
         server's
         -> set it
skipped  api, pages: not
         connected
skipped  collection: Ansible was
         not found
problem  inventory: two hosts
         are called "web"
         -> run ` + "`this command that is not broken into lines`" + `
`
	escapes := regexp.MustCompile("\x1b\\[[0-9]*[mK]") // sequences that colour text, or wipe a line
	got := escapes.ReplaceAllString(report(show.Appearance{Width: 32, Color: true}), "")
	all := func(s string) string { return strings.Join(strings.Fields(s), "") }
	if all(want) != all(got) {
		t.Errorf("something is lost:\n%s", got)
	}
	if diff := cmp.Diff(narrow, got); diff != "" {
		t.Errorf("narrow (-want +got):\n%s", diff)
	}
}

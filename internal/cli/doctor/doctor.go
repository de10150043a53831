package doctor

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/inventory"
)

// New returns the command `craton doctor`.
func New(s output.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check every step between you and your hosts, and suggest fixes",
		Long: `Check, in order of dependency: the settings, the URL, the SQLite file or the path to the API (name, connection,
certificate), which API it is, the clock, your credentials and role, paging, the inventory and its settings, and Ansible
and its configuration in this directory. Nothing is changed. Each line is ok, a warning or a problem; warnings and problems
suggest a fix. The exit status is 1 if there is a problem.`,
		Example: `  craton doctor
  craton doctor --format json`,
		Args: argparse.ExactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return doctorRun(cmd.Context(), s, cmd.Flags()) },
	}
	settings.AddFlags(cmd.Flags(), settings.Connection, settings.CLI, settings.Screen, settings.Inventory)
	argparse.Examine(cmd)
	return cmd
}

// health is the result of a check.
type health string

// The healths. A check is skipped if another check, whose finding says why, has failed.
const (
	healthy health = "ok"
	warning health = "warning"
	problem health = "problem"
	skipped health = "skipped"
)

// finding is the outcome of one check.
type finding struct {
	Check   string `json:"check"`
	Status  health `json:"status"`
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"` // what to do next; for warnings and problems
}

// doctor runs checks. Each of its methods whose name begins with check adds findings.
type doctor struct {
	findings []finding
	report   func(finding) // called with each finding at once; may be nil
}

func (d *doctor) add(f finding) {
	d.findings = append(d.findings, f)
	if d.report != nil {
		d.report(f)
	}
}

func (d *doctor) ok(check, format string, args ...any) {
	d.add(finding{Check: check, Status: healthy, Message: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, advice, format string, args ...any) {
	d.add(finding{check, warning, fmt.Sprintf(format, args...), advice})
}

func (d *doctor) problem(check, advice, format string, args ...any) {
	d.add(finding{check, problem, fmt.Sprintf(format, args...), advice})
}

// addError adds a problem from an error. If the error has no advice, otherwise is the advice.
func (d *doctor) addError(check string, err error, otherwise string) {
	if e, ok := err.(*rest.CallError); ok { //nolint:errorlint // whose first word is a library's name
		err = e.Err
	}
	message, next := advice.Split(err)
	d.add(finding{check, problem, message, cmp.Or(next, otherwise)})
}

// skip records that checks were skipped.
func (d *doctor) skip(why string, checks ...string) {
	for _, check := range checks {
		d.add(finding{Check: check, Status: skipped, Message: why})
	}
}

// count returns the number of findings with a health.
func (d *doctor) count(h health) (n int) {
	for _, f := range d.findings {
		if f.Status == h {
			n++
		}
	}
	return n
}

// doctorRun runs all checks and writes their findings: text at once, documents at the end.
func doctorRun(ctx context.Context, s output.Streams, flags *pflag.FlagSet) error {
	format := show.FormatTable
	if v, err := settings.Load(flags, settings.CLI); err == nil { // if not, it is a finding
		format = v.String("cli.format")
	}
	d := &doctor{}
	if format == show.FormatTable {
		p := newDoctorPrinter(s.Out)
		d.report = p.print
		defer p.flush()
	}
	d.examine(ctx, flags)
	return d.write(s.Out, format)
}

// examine runs all checks. Those of Ansible take a while and do not depend on the others, so they run concurrently.
func (d *doctor) examine(ctx context.Context, flags *pflag.FlagSet) {
	done := make(chan *ansible, 1)
	go func() { done <- findAnsible(ctx) }()
	v, iv := d.checkSettings(flags)
	trial := d.checkFleet(ctx, v, iv)
	d.checkKept(v, iv)
	d.checkAnsible(<-done, connect.Version, iv, trial)
}

// checkFleet checks the way to the fleet and the inventory. v and iv are nil if settings are invalid.
func (d *doctor) checkFleet(ctx context.Context, v, iv *settings.Values) *trial {
	if v == nil {
		d.skip("the settings cannot be read", "url", "api", "inventory")
		return nil
	}
	kind := d.checkURL(v)
	reached := false
	switch kind {
	case urlSQLite:
		reached = d.checkSQLite(ctx, v)
	case urlHTTP:
		reached = d.checkAPI(ctx, v)
	case urlBad:
		d.skip("no URL is set", "api")
	}
	valid := iv != nil
	if valid {
		if _, err := inventory.FromSettings(iv); err != nil {
			valid = false
			d.addError("inventory settings", err, adviceConfig)
		} else {
			d.ok("inventory settings", "%s", changedSettings(iv))
		}
	}
	if !reached || !valid {
		d.skip("it depends on a check that failed", "inventory")
		return nil
	}
	return d.checkInventory(ctx, v, iv)
}

// adviceConfig is the advice for an invalid setting.
const adviceConfig = "`craton config` shows what is set where"

// allDefaults is the text of changedSettings if there are none.
const allDefaults = "all settings have their defaults"

// changedSettings returns the settings that differ from their defaults.
func changedSettings(v *settings.Values) string {
	var changed []string
	for _, e := range v.Entries() {
		if e.Source.From != settings.FromDefault {
			changed = append(changed, e.Name+"="+e.Text())
		}
	}
	if len(changed) == 0 {
		return allDefaults
	}
	return strings.Join(changed, ", ")
}

package show

import (
	"context"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
)

// defaultPager is the default program.
const defaultPager = "less"

// Watch returns a context whose requests are shown on standard error, if the settings in flags say so.
func Watch(ctx context.Context, s output.Streams, flags *pflag.FlagSet) (context.Context, error) {
	if flags.Lookup("debug") == nil {
		return ctx, nil
	}
	v, err := settings.Load(flags, settings.Screen)
	if err != nil || !v.Bool("cli.verbose") && !v.Bool("cli.debug") {
		return ctx, err
	}
	return rest.ContextWithTrace(ctx, rest.NewTrace(overProgress{s.Err}, v.Bool("cli.debug"))), nil
}

// overProgress writes lines over a line of progress on a terminal.
type overProgress struct{ io.Writer }

func (o overProgress) Write(b []byte) (int, error) {
	if output.IsTerminal(o.Writer) {
		if _, err := io.WriteString(o.Writer, "\r\x1b[K"); err != nil {
			return 0, err
		}
	}
	return o.Writer.Write(b)
}

// Page sends the output of a command through a pager, if it is longer than the screen, and returns a context that ends
// when the user quits the pager. Flags are those of the command. If output does not go to a terminal, or to a dumb one,
// there is no pager.
func Page(ctx context.Context, s output.Streams, flags *pflag.FlagSet) context.Context {
	p := output.PagerOf(s.Out)
	if p == nil || os.Getenv("TERM") == "" || os.Getenv("TERM") == "dumb" {
		return ctx
	}
	v, err := settings.Load(flags, settings.Screen)
	if err != nil { // the command itself reports it
		return ctx
	}
	return p.Begin(ctx, pagerOf(v, os.LookupEnv))
}

// pagerOf returns the pager, chosen like git does: from this program's own settings, or else PAGER, or else less. "" is
// none, as is an empty variable.
func pagerOf(v *settings.Values, env func(string) (string, bool)) string {
	program := v.String("cli.pager")
	empty, set := env("CRATON_PAGER")
	switch {
	case v.Bool("cli.no_pager"), v.Bool("cli.verbose"), v.Bool("cli.debug"), // requests are shown when they are sent
		program == "" && set && empty == "", program == "" && !v.IsDefault("cli.pager"):
		return ""
	case program == "":
		if program, set = env("PAGER"); !set {
			program = defaultPager
		}
	}
	if program = strings.TrimSpace(program); program == "cat" {
		return ""
	}
	return program
}

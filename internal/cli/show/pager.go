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

// defaultPager is the program if nothing names another.
const defaultPager = "less"

// Watch returns a context whose requests are told on standard error, if the settings of flags say so.
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

// overProgress writes lines over the line of progress that a terminal may show.
type overProgress struct{ io.Writer }

func (o overProgress) Write(b []byte) (int, error) {
	if output.IsTerminal(o.Writer) {
		if _, err := io.WriteString(o.Writer, "\r\x1b[K"); err != nil {
			return 0, err
		}
	}
	return o.Writer.Write(b)
}

// Page lets what a command writes go through a pager, if it is longer than the screen, and gives the context that ends
// when that is left. Flags are those of the command. Where output goes to no terminal, or the terminal can do nothing,
// there is no pager.
func Page(ctx context.Context, s output.Streams, flags *pflag.FlagSet) context.Context {
	p := output.PagerOf(s.Out)
	if p == nil || os.Getenv("TERM") == "" || os.Getenv("TERM") == "dumb" {
		return ctx
	}
	v, err := settings.Load(flags, settings.Screen)
	if err != nil { // which the command says itself
		return ctx
	}
	return p.Begin(ctx, pagerOf(v, os.LookupEnv))
}

// pagerOf returns the program that pages, as git chooses it: what this program's own settings name, else PAGER, else
// less. "" is none, as a variable that is empty wants it.
func pagerOf(v *settings.Values, env func(string) (string, bool)) string {
	program := v.String("cli.pager")
	empty, set := env("CRATON_PAGER")
	switch {
	case v.Bool("cli.no_pager"), v.Bool("cli.verbose"), v.Bool("cli.debug"), // requests are told when they are sent
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

package ironic

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/object"
	"github.com/craton-fleet/craton/internal/output"
)

// complete sets how a command's arguments are completed. It is called only for a completion.
func (c *verb) complete(cmd *cobra.Command, called *argparse.Call, s output.Streams) {
	ask := func(question func(context.Context, *session) []string) []string {
		ctx, cancel := context.WithTimeout(cmd.Context(), object.CompletionTime)
		defer cancel()
		for _, name := range []string{"retries", "max-retries"} {
			if cmd.Flags().Set(name, "0") != nil {
				return nil
			}
		}
		s.Err = io.Discard
		t, err := openIotronic(cmd, s)
		if err != nil {
			return nil
		}
		defer t.client.CloseIdleConnections()
		if t.dialect, err = t.client.Dialect(ctx); err != nil {
			return nil
		}
		return question(ctx, t)
	}
	names := func(begin string, of ...argparse.Kind) []string {
		return ask(func(ctx context.Context, t *session) (found []string) {
			const pages = 2
			for _, k := range kinds() {
				if !slices.ContainsFunc(of, func(r argparse.Kind) bool { return r.Positional() == k.Positional() }) || !slices.Contains(k.dialects(), t.dialect) {
					continue
				}
				for _, name := range t.names(ctx, k, pages) {
					if strings.HasPrefix(name, begin) && argparse.Typeable(name) && !slices.Contains(found, name) {
						found = append(found, name)
					}
				}
			}
			return found
		})
	}
	words := func(args []string) ([]string, cobra.ShellCompDirective) {
		const only = cobra.ShellCompDirectiveNoFileComp
		if c.words == nil { // further ones of the same kind
			return slices.DeleteFunc(names("", c.resource), func(name string) bool { return name == args[0] }), only
		}
		return ask(func(ctx context.Context, t *session) []string {
			with := *called
			with.Target = args[0]
			return slices.DeleteFunc(c.words(ctx, t, &with), func(w string) bool { return !argparse.Typeable(w) })
		}), only | cobra.ShellCompDirectiveNoSpace
	}
	c.CompleteBy(cmd, called, names, words)
	argparse.CompleteSettings(cmd, iotronicSections...)
}

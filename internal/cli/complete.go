package cli

import (
	"context"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/run"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

// completionTime bounds what a completion may take, and completionNames how many names it looks at: a shell waits for it.
const (
	completionTime  = 2 * time.Second
	completionNames = 2000
)

// completer completes the arguments of one command.
type completer struct {
	command *command
	called  *argparse.Call
	streams output.Streams
}

// complete declares how a command's arguments are completed. It is called for a completion only.
func (c *command) complete(cmd *cobra.Command, called *argparse.Call, s output.Streams) {
	by := completer{c, called, s}
	c.CompleteBy(cmd, called,
		func(begin string, kinds ...argparse.Kind) []string {
			return by.names(cmd, begin, resourcesOf(kinds)...)
		},
		func(args []string) ([]string, cobra.ShellCompDirective) {
			directive := cobra.ShellCompDirectiveNoFileComp
			if strings.HasSuffix(c.Name, "-vars-set") {
				directive |= cobra.ShellCompDirectiveNoSpace
			}
			return by.words(cmd, args[0]), directive
		})
	argparse.CompleteSettings(cmd, settings.Connection, settings.CLI)
}

// ask gives a question to the API, with little patience.
func (by completer) ask(cmd *cobra.Command, question func(context.Context, *session) []string) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
	defer cancel()
	if cmd.Flags().Set("retries", "0") != nil {
		return nil
	}
	v, err := settings.Load(cmd.Flags(), settings.Connection, settings.CLI)
	if err != nil {
		return nil
	}
	c, err := connect.Open(ctx, v, connect.ReadOnly)
	if err != nil {
		return nil
	}
	defer c.Close() //nolint:errcheck // only read
	quiet := output.Streams{In: by.streams.In, Out: by.streams.Out, Err: io.Discard}
	return question(ctx, &session{*run.NewSession(quiet, v, c)})
}

// names are the names of objects that begin so, at the place that the other options give.
func (by completer) names(cmd *cobra.Command, begin string, kinds ...*resource) []string {
	return by.ask(cmd, func(ctx context.Context, s *session) (names []string) {
		in, err := s.references(ctx, by.command.Options, by.called)
		if err != nil {
			in = nil
		}
		looked := 0
		for _, r := range kinds {
			q := url.Values{"limit": {strconv.Itoa(craton.MaxLimit)}}
			for key, id := range in {
				if slices.Contains(r.places, key) {
					q.Set(key, id)
				}
			}
			for page, err := range s.Client.Pages(ctx, r.path, q) {
				if err != nil || looked > completionNames {
					break
				}
				items, err := r.items(page.Body)
				if err != nil {
					break
				}
				for _, o := range items {
					looked++
					name := o.Get(r.nameKey()).Str
					// A name that can be an id would mean another object.
					if strings.HasPrefix(name, begin) && argparse.Typeable(name) && r.id(name) == "" && !slices.Contains(names, name) {
						names = append(names, name)
					}
				}
			}
		}
		return names
	})
}

// words are the keys or labels that an object has.
func (by completer) words(cmd *cobra.Command, target string) []string {
	return by.ask(cmd, func(ctx context.Context, s *session) (words []string) {
		r := by.command.resource
		id, err := s.find(ctx, target, nil, r)
		if err != nil {
			return nil
		}
		if strings.Contains(by.command.Name, "-labels-") {
			words, _ = s.collection(r).Labels(ctx, id)
			return slices.DeleteFunc(words, func(w string) bool { return !argparse.Typeable(w) })
		}
		vars, err := s.variables(ctx, r, id)
		if err != nil {
			return nil
		}
		for _, m := range show.Members(vars) {
			if !argparse.Typeable(m.Key) {
				continue
			}
			if strings.HasSuffix(by.command.Name, "-vars-set") {
				if strings.Contains(m.Key, "=") { // where its value would begin
					continue
				}
				m.Key += "="
			}
			words = append(words, m.Key)
		}
		return words
	})
}

package object

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

// completionTime limits how long a completion may take, and completionNames how many names it reads: a shell waits for
// it.
const (
	CompletionTime  = 2 * time.Second
	completionNames = 2000
)

// Completer completes the arguments of one command.
type Completer struct {
	Command *Command
	called  *argparse.Call
	Streams output.Streams
}

// complete sets how a command's arguments are completed. It is called only for a completion.
func (c *Command) complete(cmd *cobra.Command, called *argparse.Call, s output.Streams) {
	by := Completer{c, called, s}
	c.CompleteBy(cmd, called,
		func(begin string, kinds ...argparse.Kind) []string {
			return by.Names(cmd, begin, resourcesOf(kinds)...)
		},
		func(args []string) ([]string, cobra.ShellCompDirective) {
			directive := cobra.ShellCompDirectiveNoFileComp
			if len(args) == 0 {
				return by.keys(cmd), directive
			}
			if strings.HasSuffix(c.Name, "-vars-set") {
				directive |= cobra.ShellCompDirectiveNoSpace
			}
			return by.words(cmd, args[0]), directive
		})
	argparse.CompleteSettings(cmd, settings.Connection, settings.CLI)
}

// Ask sends a request to the API, with a short timeout.
func (by Completer) Ask(cmd *cobra.Command, question func(context.Context, *Session) []string) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), CompletionTime)
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
	quiet := output.Streams{In: by.Streams.In, Out: by.Streams.Out, Err: io.Discard}
	session := &Session{*run.NewSession(quiet, v, c)}
	if at := cmd.Flags().Lookup(atOption); at != nil && session.ReadPast(ctx, at.Value.String(), true) != nil {
		return nil
	}
	return question(ctx, session)
}

// Names returns the names of objects with a prefix, at the place in the other options.
func (by Completer) Names(cmd *cobra.Command, begin string, kinds ...*Resource) []string {
	return by.Ask(cmd, func(ctx context.Context, s *Session) (names []string) {
		in, err := s.references(ctx, by.Command.Options, by.called)
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
					// A name that looks like an id would mean another object.
					if strings.HasPrefix(name, begin) && argparse.Typeable(name) && r.id(name) == "" && !slices.Contains(names, name) {
						names = append(names, name)
					}
				}
			}
		}
		return names
	})
}

// keys returns the names of a user's API keys.
func (by Completer) keys(cmd *cobra.Command) []string {
	return by.Ask(cmd, func(ctx context.Context, s *Session) (names []string) {
		keys, err := s.keys(ctx, by.called)
		if err != nil {
			return nil
		}
		for _, k := range keys {
			if argparse.Typeable(k.Name) {
				names = append(names, k.Name)
			}
		}
		return names
	})
}

// words returns the keys or labels of an object.
func (by Completer) words(cmd *cobra.Command, target string) []string {
	return by.Ask(cmd, func(ctx context.Context, s *Session) (words []string) {
		r := by.Command.resource
		id, err := s.find(ctx, target, nil, r)
		if err != nil {
			return nil
		}
		if strings.Contains(by.Command.Name, "-labels-") {
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
			if strings.HasSuffix(by.Command.Name, "-vars-set") {
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

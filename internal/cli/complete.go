package cli

import (
	"context"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/craton"
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
	called  *call
	streams output.Streams
}

// complete declares how a command's arguments are completed. It is called for a completion only.
func (c *command) complete(cmd *cobra.Command, called *call, s output.Streams) {
	by := completer{c, called, s}
	c.completeBy(cmd, called,
		func(begin string, kinds ...*resource) []string { return by.names(cmd, begin, kinds...) },
		func(args []string) ([]string, cobra.ShellCompDirective) {
			directive := cobra.ShellCompDirectiveNoFileComp
			if strings.HasSuffix(c.name, "-vars-set") {
				directive |= cobra.ShellCompDirectiveNoSpace
			}
			return by.words(cmd, args[0]), directive
		})
	completeSettings(cmd, settings.Connection, settings.CLI)
}

// completeBy declares how a command's own arguments are completed: names finds objects, words what may stand behind args, of
// which the first is the object.
func (c *command) completeBy(cmd *cobra.Command, called *call, names func(begin string, kinds ...*resource) []string,
	words func(args []string) ([]string, cobra.ShellCompDirective),
) {
	const only = cobra.ShellCompDirectiveNoFileComp
	for i := range c.options {
		o := &c.options[i]
		_ = cmd.RegisterFlagCompletionFunc(o.long, func(_ *cobra.Command, _ []string, begin string) ([]string, cobra.ShellCompDirective) {
			if o.kind == referenceOption {
				return names(begin, o.of...), only
			}
			return c.values(o), only
		})
	}
	arguments := func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		switch {
		case called.given("fields") && (!c.target || len(args) > 0): // --fields id na
			return c.resource.full(), only
		case c.target && len(args) == 0:
			return names(begin, c.resource), only
		case c.target && len(args) <= len(c.more):
			return c.more[len(args)-1].choices, only
		case c.rest && len(args) > 0:
			found, directive := words(args)
			return slices.DeleteFunc(found, func(w string) bool { return slices.Contains(args[1:], w) }), directive
		}
		return nil, only
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		found, directive := arguments(cmd, args, begin)
		if cmd.ArgsLenAtDash() < 0 { // else it would be an option
			found = slices.DeleteFunc(found, func(w string) bool { return strings.HasPrefix(w, "-") })
		}
		return found, directive
	}
}

// typeable reports whether a shell can be given a word: on one line, and without anything that a terminal obeys. cobra
// takes away the space around it.
func typeable(word string) bool {
	return word != "" && show.Clean(word) == word && strings.TrimSpace(word) == word && utf8.ValidString(word)
}

// values are those that an option may have, as far as they are known without asking.
func (c *command) values(o *option) []string {
	switch {
	case o.choices != nil:
		return o.choices
	case o.kind == truthOption:
		return []string{"true", "false"}
	case o.long == "fields" || o.long == "sort-key":
		return c.resource.full()
	}
	return nil
}

// completeSettings declares how the options that every command has are completed.
func completeSettings(cmd *cobra.Command, sections ...settings.Section) {
	for _, section := range sections {
		for i := range section.Settings {
			s := &section.Settings[i]
			flag := flagName(s)
			if s.Choices != nil && cmd.Flags().Lookup(flag) != nil {
				_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(s.Choices, cobra.ShellCompDirectiveNoFileComp))
			}
		}
	}
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
	return question(ctx, newSession(quiet, v, c))
}

// names are the names of objects that begin so, at the place that the other options give.
func (by completer) names(cmd *cobra.Command, begin string, kinds ...*resource) []string {
	return by.ask(cmd, func(ctx context.Context, s *session) (names []string) {
		in, err := s.references(ctx, by.command.options, by.called)
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
			for page, err := range s.client.Pages(ctx, r.path, q) {
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
					if strings.HasPrefix(name, begin) && typeable(name) && r.id(name) == "" && !slices.Contains(names, name) {
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
		if strings.Contains(by.command.name, "-labels-") {
			words, _ = s.collection(r).Labels(ctx, id)
			return slices.DeleteFunc(words, func(w string) bool { return !typeable(w) })
		}
		vars, err := s.variables(ctx, r, id)
		if err != nil {
			return nil
		}
		for _, m := range show.Members(vars) {
			if !typeable(m.Key) {
				continue
			}
			if strings.HasSuffix(by.command.name, "-vars-set") {
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

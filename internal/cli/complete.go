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
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

func newCompletion(s output.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "completion (bash | zsh | fish)",
		Short: "Print the script that completes commands, options and names in a shell",
		Long: `Prints a script for a shell. It completes subcommands, options and their values; names of clouds, hosts and all other
objects, keys of variables and labels are asked of the API, in two seconds at the most, and nothing is said if that fails.
bash needs the package bash-completion.`,
		Example: `  source <(craton completion bash)                                       in ~/.bashrc
  source <(craton completion zsh)                                        in ~/.zshrc, after compinit
  craton completion fish > ~/.config/fish/completions/craton.fish`,
		Args:      exactArgs("<shell>"),
		ValidArgs: []string{"bash", "zsh", "fish"},
		// Global options may stand before it, and do not matter.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch root := cmd.Root(); args[0] {
			case "bash":
				return root.GenBashCompletionV2(s.Out, true)
			case "zsh":
				return root.GenZshCompletion(s.Out)
			case "fish":
				return root.GenFishCompletion(s.Out, true)
			}
			return mistake(cmd, "argument <shell>: %s", invalidChoice(args[0], cmd.ValidArgs))
		},
	}
}

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
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
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
					if strings.HasPrefix(name, begin) && !strings.ContainsAny(name, "\t\r\n") && !slices.Contains(names, name) {
						names = append(names, name)
					}
				}
				if limit := limitOf(page); limit > 0 && len(items) < limit {
					break
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
			n, err := strconv.Atoi(id)
			if err != nil {
				return nil
			}
			words, _ = r.labels(s.client).Labels(ctx, n)
			return words
		}
		vars, err := s.variables(ctx, r, id)
		if err != nil {
			return nil
		}
		for _, m := range members(vars) {
			if strings.HasSuffix(by.command.name, "-vars-set") {
				m.key += "="
			}
			words = append(words, m.key)
		}
		return words
	})
}

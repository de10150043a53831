package cli

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/settings"
)

// completeBy declares how a command's own arguments are completed: names finds objects, words what may stand behind args, of
// which the first is the object.
func (c *Command) completeBy(cmd *cobra.Command, called *call, names func(begin string, kinds ...Kind) []string,
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
			return c.of.Columns(), only
		case c.target && len(args) == 0:
			return names(begin, c.of), only
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
func (c *Command) values(o *option) []string {
	switch {
	case o.choices != nil:
		return o.choices
	case o.kind == truthOption:
		return []string{"true", "false"}
	case o.long == "fields" || o.long == "sort-key":
		return c.of.Columns()
	}
	return nil
}

// completeSettings declares how the options that every command has are completed.
func completeSettings(cmd *cobra.Command, sections ...settings.Section) {
	for _, section := range sections {
		for i := range section.Settings {
			s := &section.Settings[i]
			flag := s.FlagName()
			if s.Choices != nil && cmd.Flags().Lookup(flag) != nil {
				_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(s.Choices, cobra.ShellCompDirectiveNoFileComp))
			}
		}
	}
}

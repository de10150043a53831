package argparse

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/settings"
)

// CompleteBy sets how a command's own arguments are completed: names finds objects, words the words after args, the
// first of which is the object.
func (c *Command) CompleteBy(cmd *cobra.Command, called *Call, names func(begin string, kinds ...Kind) []string,
	words func(args []string) ([]string, cobra.ShellCompDirective),
) {
	const only = cobra.ShellCompDirectiveNoFileComp
	for i := range c.Options {
		o := &c.Options[i]
		_ = cmd.RegisterFlagCompletionFunc(o.Long, func(_ *cobra.Command, _ []string, begin string) ([]string, cobra.ShellCompDirective) {
			switch o.Kind {
			case ReferenceOption:
				return names(begin, o.Of...), only
			case TermsOption:
				return c.terms(begin), only | cobra.ShellCompDirectiveNoSpace
			}
			return c.values(o), only
		})
	}
	arguments := func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		switch {
		case called.Given("fields") && (!c.Target || len(args) > 0): // --fields id na
			return c.Of.Columns(), only
		case c.Target && len(args) == 0:
			return names(begin, c.Of), only
		case c.Target && len(args) <= len(c.More):
			return c.More[len(args)-1].Choices, only
		case !c.Target && len(args) < len(c.More) && c.More[len(args)].Asked:
			return words(args)
		case c.Rest && len(args) > 0:
			found, directive := words(args)
			return slices.DeleteFunc(found, func(w string) bool { return slices.Contains(args[1:], w) }), directive
		}
		return nil, only
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, begin string) ([]string, cobra.ShellCompDirective) {
		found, directive := arguments(cmd, args, begin)
		if cmd.ArgsLenAtDash() < 0 { // otherwise it would be an option
			found = slices.DeleteFunc(found, func(w string) bool { return strings.HasPrefix(w, "-") })
		}
		return found, directive
	}
}

// Typeable reports whether a word can be completed in a shell: it is one line without control sequences, and cobra,
// which trims space, does not change it.
func Typeable(word string) bool {
	return word != "" && show.Clean(word) == word && strings.TrimSpace(word) == word && utf8.ValidString(word)
}

// terms returns the beginnings of terms, after the existing ones.
func (c *Command) terms(begin string) (all []string) {
	there := begin[:strings.LastIndexByte(begin, ' ')+1]
	for _, term := range c.Terms {
		all = append(all, there+term)
	}
	return all
}

// values returns the possible values of an option, as far as they are known without a request.
func (c *Command) values(o *Option) []string {
	switch {
	case o.Choices != nil:
		return o.Choices
	case o.Kind == TruthOption:
		return []string{"true", "false"}
	case o.Long == "fields" || o.Long == "sort-key":
		return c.Of.Columns()
	}
	return nil
}

// CompleteSettings sets how the options that every command has are completed.
func CompleteSettings(cmd *cobra.Command, sections ...settings.Section) {
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

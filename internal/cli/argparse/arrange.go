package argparse

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/settings"
)

// Arrange puts the arguments into the order that pflag needs: the subcommand first, whatever options precede it;
// options with several words repeated for each word; and for commands that take any words, the options first, then the
// words unchanged. name is "" if there is no subcommand.
func (p *Program) Arrange(args []string) (arranged []string, name string, err error) {
	i := p.subcommand(args)
	if i < 0 {
		return args, "", nil
	}
	name = args[i]
	rest := slices.Concat(args[:i], args[i+1:])
	switch c, cmd := p.Define(name), p.Commands[name]; {
	case c == nil:
		if rest, err = p.withoutGlobals(cmd, rest); err != nil {
			return nil, name, err
		}
	case c.AnyWords():
		rest = literal(cmd.Flags(), rest)
	default:
		if rest, err = repeated(cmd, rest); err != nil {
			return nil, name, err
		}
	}
	return append([]string{name}, rest...), name, nil
}

// withoutGlobals removes options of the whole program that a command does not use: they are allowed anywhere with every
// command.
func (p *Program) withoutGlobals(cmd *cobra.Command, args []string) ([]string, error) {
	if cmd == nil || p.Inner[cmd.Name()] != nil {
		return args, nil
	}
	known := func(word string) bool {
		return slices.ContainsFunc(append(cmd.Commands(), cmd), func(c *cobra.Command) bool { return flagOf(c.Flags(), word) != nil })
	}
	var out []string
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			return append(out, args[i:]...), nil
		}
		global := (*pflag.Flag)(nil)
		if strings.HasPrefix(word, "-") && !known(word) {
			global = flagOf(p.Root.Flags(), word)
		}
		if global == nil || global.Name == "version" {
			out = append(out, word)
			continue
		}
		_, text, attached := strings.Cut(word, "=")
		switch {
		case attached || global.NoOptDefVal != "":
		case i+1 == len(args):
			return nil, Mistake(cmd, "argument --%s: expected one argument", global.Name)
		default:
			i++
			text = args[i]
		}
		if choices := choicesOf(global.Name); choices != nil && !slices.Contains(choices, text) {
			return nil, Mistake(p.Root, "argument --%s: %s", global.Name, InvalidChoice(text, choices))
		}
		if global.NoOptDefVal != "" && !attached {
			text = global.NoOptDefVal
		}
		_ = p.Root.Flags().Set(global.Name, text) // for help; callers that need the value report errors
	}
	return out, nil
}

// choicesOf returns the allowed values of a flag of the command line's own settings; nil for any.
func choicesOf(flag string) []string {
	for i := range settings.CLI.Settings {
		if s := &settings.CLI.Settings[i]; s.FlagName() == flag {
			return s.Choices
		}
	}
	return nil
}

// subcommand returns the index of the subcommand; -1 if there is none. If no word is a subcommand, it is the first word
// in its position.
func (p *Program) subcommand(args []string) int {
	first, perhaps := -1, -1 // perhaps is the index of what may be the value of a command's option
	for i := 0; i < len(args); i++ {
		word := args[i]
		switch {
		case word == "--":
			if first < 0 && i+1 < len(args) {
				first = i + 1
			}
			return first
		case strings.HasPrefix(word, "-") && word != "-":
			f := flagOf(p.Root.Flags(), word)
			switch {
			case strings.Contains(word, "="):
			case f == nil:
				perhaps = i + 1
			case f.NoOptDefVal == "":
				i++ // its value
			}
		case p.Commands[word] != nil:
			return i
		case first < 0 && i != perhaps:
			first = i
		}
	}
	return first
}

// flagOf returns the flag that a word such as --limit, --limit=10, -r or -r1 names; nil if there is none.
func flagOf(fs *pflag.FlagSet, word string) *pflag.Flag {
	if name, ok := strings.CutPrefix(word, "--"); ok {
		name, _, _ = strings.Cut(name, "=")
		return fs.Lookup(name)
	}
	if len(word) < 2 {
		return nil
	}
	return fs.ShorthandLookup(word[1:2])
}

// repeated repeats an option with several words for each word: --fields id name becomes --fields=id --fields=name. The
// words end before the next option.
func repeated(cmd *cobra.Command, args []string) ([]string, error) {
	var out []string
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			return append(out, args[i:]...), nil
		}
		f := (*pflag.Flag)(nil)
		if strings.HasPrefix(word, "-") {
			f = flagOf(cmd.Flags(), word)
		}
		out = append(out, word)
		if f == nil {
			continue
		}
		v, _ := f.Value.(*optionValue)
		attached := strings.Contains(word, "=") || !strings.HasPrefix(word, "--") && len(word) > 2
		switch {
		case v == nil || v.Kind != WordsOption:
			if f.NoOptDefVal == "" && !attached && i+1 < len(args) { // its value, which may begin with a dash
				i++
				out = append(out, args[i])
			}
		case !attached:
			out = out[:len(out)-1]
			n := 0
			for ; i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"); i++ {
				out = append(out, "--"+v.Long+"="+args[i+1])
				n++
			}
			if n == 0 {
				return nil, Mistake(cmd, "argument %s: expected at least one argument", v.Argument())
			}
		}
	}
	return out, nil
}

// literal puts options first, then --, then everything else. Before the object, every word that begins with a dash is
// an option; after it, only the command's own options are: others are words, such as the key -5. After -- everything is
// a word.
func literal(fs *pflag.FlagSet, args []string) []string {
	var options, words []string
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			words = append(words, args[i+1:]...)
			break
		}
		if !strings.HasPrefix(word, "-") || word == "-" {
			words = append(words, word)
			continue
		}
		f := flagOf(fs, word)
		if word == "-h" || word == "--help" {
			options = append(options, word)
			continue
		}
		if f == nil && len(words) > 0 {
			words = append(words, word)
			continue
		}
		options = append(options, word)
		if f == nil || f.NoOptDefVal != "" || strings.Contains(word, "=") {
			continue
		}
		if i+1 == len(args) { // its value is missing; the next word must not become its value
			return options
		}
		i++
		options = append(options, args[i])
	}
	return slices.Concat(options, []string{"--"}, words)
}

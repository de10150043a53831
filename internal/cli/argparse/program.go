package argparse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
)

// Version holds the program's version and build.
type Version struct {
	Release string // 0.1.0
	Whole   string // with commit and Go version
}

// Program is a command with subcommands for objects: craton itself, or craton iotronic.
type Program struct {
	Root     *cobra.Command
	Version  Version
	Streams  output.Streams
	Shared   []settings.Section        // settings that are flags of its commands for objects
	Usual    []string                  // those that help shows first
	TalksTo  string                    // the service that its commands for objects use
	About    string                    // what help says about the shared settings
	groups   [][]*cobra.Command        // the subcommands in the order of help
	Commands map[string]*cobra.Command // by name
	Lazy     map[string]LazyCommand    // those whose flags have not been declared yet
	Inner    map[string]*Program       // subcommands that are programs themselves
	given    []string                  // the arguments in the order that pflag needs
	Fill     func()                    // creates the subcommands; nil once they exist
	// completing is set while a shell requests completions for a command line.
	Completing bool
}

// LazyCommand is a command whose flags are declared only if it runs.
type LazyCommand interface {
	Define(cmd *cobra.Command, s output.Streams, completing bool)
	AnyWords() bool // takes any words after its positional arguments
}

// ProgramAnnotation marks the root of a program.
const ProgramAnnotation = "program"

// RootOf returns the root of a command's program.
func RootOf(cmd *cobra.Command) *cobra.Command {
	for cmd.HasParent() && cmd.Annotations[ProgramAnnotation] == "" {
		cmd = cmd.Parent()
	}
	return cmd
}

// Add adds subcommands.
func (p *Program) Add(groups ...[]*cobra.Command) {
	p.groups = append(p.groups, groups...)
	for _, group := range groups {
		p.Root.AddCommand(group...)
		for _, cmd := range group {
			for _, name := range append(cmd.Aliases, cmd.Name()) {
				p.Commands[name] = cmd
			}
		}
	}
}

// Prepare sets the streams and shared options of a command and its subcommands, and makes it return errors without
// printing them.
func Prepare(cmd *cobra.Command, s output.Streams) {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetIn(s.In)
	cmd.SetOut(s.Out)
	cmd.SetErr(s.Err)
	cmd.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return begin(cmd, s) }
}

// pagedAnnotation marks a command whose output goes through a pager.
const pagedAnnotation = "paged"

// Page makes a command's output go through a pager if it is longer than the screen.
func Page(cmd *cobra.Command) { annotate(cmd, pagedAnnotation) }

// begin returns the function that runs before every command.
func begin(cmd *cobra.Command, s output.Streams) error {
	ctx, err := show.Watch(cmd.Context(), s, cmd.Flags())
	if err != nil && cmd.Annotations[examinesAnnotation] == "" {
		return err
	}
	cmd.SetContext(ctx)
	if cmd.Annotations[pagedAnnotation] != "" {
		cmd.SetContext(show.Page(cmd.Context(), s, cmd.Flags()))
	}
	return nil
}

// examinesAnnotation marks a command that reports invalid settings itself.
const examinesAnnotation = "examines"

// Examine makes a command run even with invalid settings.
func Examine(cmd *cobra.Command) { annotate(cmd, examinesAnnotation) }

func annotate(cmd *cobra.Command, mark string) {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[mark] = "yes"
}

// SayMistakes converts errors of commands' own argument checks to usage errors.
func SayMistakes(commands []*cobra.Command) {
	for _, cmd := range commands {
		if check := cmd.Args; check != nil {
			cmd.Args = func(cmd *cobra.Command, args []string) error {
				err := check(cmd, args)
				if _, ok := errors.AsType[*UsageError](err); err == nil || ok {
					return err
				}
				return Mistake(cmd, "%s", err)
			}
		}
		SayMistakes(cmd.Commands())
	}
}

// Run runs a command line, without the name of the program.
func (p *Program) Run(ctx context.Context, args []string) error {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		return p.complete(ctx, args)
	}
	if len(args) > 0 && args[0] == wordsCommand {
		return p.words(ctx, args[1:])
	}
	if len(args) == 0 {
		p.Help(p.Root)
		return nil
	}
	arranged, err := p.order(args)
	if err != nil {
		return err
	}
	p.Root.SetArgs(arranged)
	p.given = arranged
	cmd, err := p.Root.ExecuteContextC(ctx)
	return asMistake(cmd, err)
}

// complete runs cobra's command for completions.
func (p *Program) complete(ctx context.Context, args []string) error {
	p.Completing = true
	p.Root.PersistentFlags().AddFlagSet(p.Root.Flags()) // cobra completes no subcommands after other words
	CompleteSettings(p.Root, p.Shared...)
	in, at := p, 1
	for ; at < len(args) && in.Inner[args[at]] != nil; at++ {
		in.Define(args[at])
		in = in.Inner[args[at]]
	}
	if last := len(args) - 1; at < last && in.Commands[args[at]] == nil {
		args = append(in.joined(args[:last:last], at), args[last])
		if missing, short := in.beginnings(args[at:]); at < len(args)-1 && in.Commands[args[at]] == nil && missing != nil {
			for i, word := range missing {
				_, _ = fmt.Fprintf(p.Root.OutOrStdout(), "%s\t%s\n", word, short[i])
			}
			_, err := fmt.Fprintf(p.Root.OutOrStdout(), ":%d\n", cobra.ShellCompDirectiveNoFileComp)
			return err
		}
	}
	in = p
	for _, word := range args {
		in.Define(word)
		if inner := in.Inner[word]; inner != nil {
			in = inner
		}
	}
	p.Root.SetArgs(args)
	return p.Root.ExecuteContext(ctx)
}

// maxWords is the maximum number of words in the name of a subcommand: network device vars get.
const maxWords = 4

// joined joins the words of a subcommand that are written separately from an index on: host list is host-list.
func (p *Program) joined(args []string, at int) []string {
	if at < 0 || at >= len(args) || p.Commands[args[at]] != nil {
		return args
	}
	for n := min(len(args)-at, maxWords); n > 1; n-- {
		if name := strings.Join(args[at:at+n], "-"); p.Commands[name] != nil {
			return slices.Concat(args[:at], []string{name}, args[at+n:])
		}
	}
	return args
}

// beginnings returns the subcommands that begin with separately written words: the missing part of each, and its
// summary.
func (p *Program) beginnings(words []string) (missing, short []string) {
	begin := strings.Join(words, "-")
	for _, name := range p.Names() {
		if rest, ok := strings.CutPrefix(name, begin); ok && strings.Contains(begin, "-") {
			missing, short = append(missing, words[len(words)-1]+rest), append(short, p.Commands[name].Short)
		}
	}
	return missing, short
}

// order returns arrange for a program, and for a nested program.
func (p *Program) order(args []string) ([]string, error) {
	arranged, name, err := p.Arrange(args)
	switch {
	case err != nil:
		return nil, err
	case name == "":
		return arranged, nil
	case p.Commands[name] == nil:
		if joined := p.joined(args, slices.Index(args, name)); len(joined) < len(args) {
			return p.order(joined)
		}
		return nil, p.unknown(name, args)
	case p.Inner[name] == nil:
		return arranged, nil
	}
	if err := p.Inner[name].allText(arranged[1:]); err != nil {
		return nil, err
	}
	within, err := p.Inner[name].order(arranged[1:])
	return append([]string{name}, within...), err
}

// allText refuses arguments that are not UTF-8: in JSON they would silently change. It names the option of such a
// value, and not the value, which may be a password.
func (p *Program) allText(args []string) error {
	at := p.subcommand(args)
	for i, word := range args {
		if utf8.ValidString(word) {
			continue
		}
		called := "the subcommand"
		if i > at && at >= 0 {
			called = fmt.Sprintf("argument number %d of %s", i-at, args[at])
		}
		name, _, valued := strings.Cut(word, "=")
		switch {
		case valued && utf8.ValidString(name):
			called = "argument " + name
		case i > 0 && utf8.ValidString(args[i-1]) && strings.HasPrefix(args[i-1], "-"):
			called = "argument " + args[i-1]
		}
		cmd := p.Root
		if at >= 0 && p.Commands[args[at]] != nil {
			cmd = p.Commands[args[at]]
			p.Define(args[at])
		}
		return Mistake(cmd, "%s is not valid UTF-8; convert it, for example with iconv", called)
	}
	return nil
}

// Names returns all subcommands in the order of help.
func (p *Program) Names() []string {
	var names []string
	for _, cmd := range slices.Concat(p.groups...) {
		if !cmd.Hidden {
			names = append(names, cmd.Name())
		}
	}
	return names
}

// Define declares the flags of a subcommand and creates its subcommands, unless that has been done.
func (p *Program) Define(name string) LazyCommand {
	if inner := p.Inner[name]; inner != nil && inner.Fill != nil {
		inner.Completing = p.Completing
		inner.Fill()
		inner.Fill = nil
	}
	c := p.Lazy[name]
	if c != nil {
		c.Define(p.Commands[name], p.Streams, p.Completing)
		maps.DeleteFunc(p.Lazy, func(_ string, other LazyCommand) bool { return other == c }) // an alias is the same
	}
	return c
}

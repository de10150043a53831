package argparse

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/settings"
)

// Pages returns the manual pages of the complete program: craton.1, and one for each subcommand, by file name.
func (p *Program) Pages() map[string]string {
	pages := map[string]string{"craton.1": p.man()}
	var add func(in *Program, cmd *cobra.Command)
	add = func(in *Program, cmd *cobra.Command) {
		in.Define(cmd.Name())
		pages[pageOf(cmd)+".1"] = in.manOf(cmd)
		if within := in.Inner[cmd.Name()]; within != nil {
			in = within
		}
		for _, inner := range cmd.Commands() {
			add(in, inner)
		}
	}
	for _, cmd := range slices.Concat(p.groups...) {
		add(p, cmd)
	}
	return pages
}

// roff is a manual page that is being written.
type roff struct{ strings.Builder }

// pageOf returns the name of a command's page: craton-host-list.
func pageOf(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// usageIndent is the indentation of a usage's lines.
var usageIndent = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^(usage: | {7})`) })

// newRoff begins a page with its title, name and synopsis.
func newRoff(cmd *cobra.Command, v Version) *roff {
	var r roff
	name := pageOf(cmd)
	fmt.Fprintf(&r, ".TH %s 1 \"\" \"craton %s\" \"craton\"\n.ad l\n", strings.ToUpper(roffText(name)), v.Release)
	r.section("NAME")
	fmt.Fprintf(&r, "%s \\- %s\n", roffText(name), roffText(strings.ToLower(cmd.Short[:1])+cmd.Short[1:]))
	r.section("SYNOPSIS")
	r.literal(usageIndent().ReplaceAllString(UsageOf(cmd), ""))
	return &r
}

func (r *roff) section(title string) { fmt.Fprintf(r, ".SH %s\n", title) }

// paragraphs writes a text with paragraphs separated by empty lines; an indented paragraph is written unchanged.
func (r *roff) paragraphs(text string) {
	for i, p := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			r.WriteString(".PP\n")
		}
		if strings.HasPrefix(p, " ") {
			r.literal(p)
		} else {
			r.WriteString(roffText(p) + "\n")
		}
	}
}

// literal writes lines unchanged.
func (r *roff) literal(text string) {
	r.WriteString(".nf\n" + roffText(strings.TrimRight(text, "\n")) + "\n.fi\n")
}

// item writes a term, which is already roff, and its indented text.
func (r *roff) item(term, text string) {
	fmt.Fprintf(r, ".TP\n%s\n%s\n", term, roffText(text))
}

// roffText escapes everything in a text that roff would interpret.
func roffText(s string) string {
	lines := strings.Split(strings.NewReplacer(`\`, `\e`, `-`, `\-`).Replace(s), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, ".") || strings.HasPrefix(l, "'") {
			lines[i] = `\&` + l
		}
	}
	return strings.Join(lines, "\n")
}

// manOf returns the page of a subcommand.
func (p *Program) manOf(cmd *cobra.Command) string {
	cmd.InitDefaultHelpFlag()
	r := newRoff(cmd, p.Version)
	r.section("DESCRIPTION")
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	r.paragraphs(text)
	if cmd.HasSubCommands() {
		r.section("SUBCOMMANDS")
		for _, inner := range cmd.Commands() {
			r.item(`\fB`+roffText(inner.Name())+`\fR`, inner.Short)
		}
	}
	own, shares := p.ownFlags(cmd)
	if p.Inner[cmd.Name()] != nil { // whose subcommands' pages lead here
		own, shares = cmd.Flags(), false
	}
	r.section("OPTIONS")
	own.VisitAll(func(f *pflag.Flag) { r.item(roffFlag(f)) })
	if shares {
		r.WriteString(".PP\nAlso the options of\n.BR " + roffText(pageOf(p.Root)) + " (1)\nfor " + p.About + ", credentials and output.\n")
	}
	if cmd.Example != "" {
		r.section("EXAMPLES")
		r.literal(cmd.Example)
	}
	r.section("SEE ALSO")
	r.WriteString(".BR craton (1)\n")
	return r.String()
}

// roffFlag returns a flag as an item.
func roffFlag(f *pflag.Flag) (term, text string) {
	name, usage := pflag.UnquoteUsage(f)
	term = `\fB` + roffText("--"+f.Name) + `\fR`
	if f.Shorthand != "" {
		term = `\fB` + roffText("-"+f.Shorthand) + `\fR, ` + term
	}
	if name != "" {
		term += " " + roffText(name)
	}
	return term, usage
}

// man returns the page of the program.
func (p *Program) man() string {
	r := newRoff(p.Root, p.Version)
	r.section("DESCRIPTION")
	r.paragraphs(p.Root.Long)
	r.WriteString(".PP\nOptions may come before or after the subcommand. Name an object by its id or its name;\n" +
		"if the name is not unique, by REGION/NAME or CLOUD/REGION/NAME; name an interface by DEVICE/NAME.\n")
	r.section("SUBCOMMANDS")
	for _, cmd := range slices.Concat(p.groups...) {
		r.item(`\fB`+roffText(cmd.Name())+`\fR`, cmd.Short)
	}
	r.section("OPTIONS")
	p.Root.Flags().VisitAll(func(f *pflag.Flag) { r.item(roffFlag(f)) })
	r.section("EXIT STATUS")
	r.item("0", "Success.")
	r.item("1", "Failure. Standard error says what failed, after the word ERROR; standard output is empty.")
	r.item("2", "Invalid arguments. Standard error shows the usage of the command.")
	r.section("ENVIRONMENT")
	r.paragraphs("Every option above lists its environment variable. An option overrides the variable, which overrides the configuration file. " +
		"NO_COLOR disables colours; COLUMNS sets the width of usage lines.")
	r.section("FILES")
	r.item(`\fI~/.config/craton/config.yml\fR, \fI`+settings.SystemFile+`\fR`, "The configuration file, unless --config or CRATON_CONFIG names another. craton config shows its settings.")
	r.section("EXAMPLES")
	r.literal(p.Root.Example)
	r.section("SEE ALSO")
	r.WriteString("One page for each subcommand, such as\n.BR craton\\-host\\-list (1).\n")
	return r.String()
}

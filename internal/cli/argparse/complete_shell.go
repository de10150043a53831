package argparse

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/table"
)

// Completion in a shell. cobra's own scripts pass the command line, and names from the fleet, through the shell's eval:
// a host named "web;reboot", or $(reboot) before TAB, would be executed. These scripts evaluate nothing. They pass the
// words to this program unchanged, and print or insert its answer.

// wordsCommand is the command that the scripts run: craton __words SHELL WORD..., where the last WORD is to be
// completed. bash, which neither removes nor adds quotes, passes COMP_TYPE, COMP_WORDBREAKS and the line up to the
// cursor instead of the words; fish passes the last WORD as it was typed.
//
// The first line of the answer says what to do with the others, the candidates: nothing special, add no space after
// them (nospace), or complete names of files (files). A candidate replaces the whole word. After a tab follows the text
// to show instead or, in fish, its description.
const wordsCommand = "__words"

const bashScript = `# craton: completion for bash. Nothing of the command line or the fleet is evaluated.
_craton() {
	local answer line first=yes
	COMPREPLY=()
	answer=$(command craton __words bash "$COMP_TYPE" "$COMP_WORDBREAKS" "${COMP_LINE:0:COMP_POINT}" 2>/dev/null) || return 0
	while IFS= read -r line; do
		if [[ -n $first ]]; then
			first=
			case $line in
			nospace) type compopt >/dev/null 2>&1 && compopt -o nospace ;;
			files) type compopt >/dev/null 2>&1 && compopt -o default ;;
			esac
			continue
		fi
		COMPREPLY+=("$line")
	done <<<"$answer"
	return 0
}
complete -F _craton craton
`

const zshScript = `#compdef craton
compdef _craton craton
# craton: completion for zsh. Nothing of the command line or the fleet is evaluated.
_craton() {
	local answer line word=$PREFIX
	local -a lines before found shown space
	[[ -n $compstate[quote] ]] && word=$compstate[quote]$word$compstate[quote]
	(( CURRENT > 2 )) && before=("${(@Q)words[2,CURRENT-1]}")
	answer=$(command craton __words zsh "${(@)before}" "${(Q)word}" 2>/dev/null) || return 1
	lines=("${(@f)answer}")
	case $lines[1] in
	files) _files; return ;;
	nospace) space=(-S '') ;;
	esac
	shift lines
	for line in "${(@)lines}"; do
		found+=("${line%%$'\t'*}")
		shown+=("${line#*$'\t'}")
	done
	if [[ $answer == *$'\t'* ]]; then
		compadd "${(@)space}" -l -d shown -a -- found
	else
		compadd "${(@)space}" -a -- found
	fi
}
# in a folder of fpath this file is the function
if [[ $funcstack[1] == _craton ]]; then
	_craton
fi
`

const fishScript = `# craton: completion for fish. Nothing of the command line or the fleet is evaluated.
function __craton_complete
	set -l words (commandline -opc)
	set -l word (commandline -ct)
	set -l answer (command craton __words fish $words "$word" 2>/dev/null)
	or return
	set -l rule $answer[1]
	set -e answer[1]
	if test "$rule" = files
		__fish_complete_path (commandline -ct)
	else
		string join \n -- $answer
	end
end
complete -c craton -e
complete -c craton -f -a '(__craton_complete)'
`

// NewCompletion returns the command that prints the script for completion in a shell.
func NewCompletion(s output.Streams) *cobra.Command {
	scripts := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}
	return &cobra.Command{
		Use:   "completion (bash | zsh | fish)",
		Short: "Print a shell completion script",
		Long: `Print a completion script for a shell. It completes subcommands, options and their values, and looks up names of objects,
variables and labels in the fleet, for at most two seconds; errors are ignored. Names are quoted for the shell; neither the
command line nor anything from the fleet is ever executed.`,
		Example: `  source <(craton completion bash)                                       in ~/.bashrc
  source <(craton completion zsh)                                        in ~/.zshrc, after compinit
  craton completion fish > ~/.config/fish/completions/craton.fish`,
		Args:      ExactArgs("<shell>"),
		ValidArgs: []string{"bash", "zsh", "fish"},
		// Global options are allowed before it, and ignored.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			script, ok := scripts[args[0]]
			if !ok {
				return Mistake(cmd, "argument <shell>: %s", InvalidChoice(args[0], cmd.ValidArgs))
			}
			_, err := io.WriteString(s.Out, script)
			return err
		},
	}
}

// words answers the script of a shell.
func (p *Program) words(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return nil
	}
	shell, given := args[0], args[1:]
	var answer completionAnswer
	switch {
	case shell == "bash" && len(given) == 3:
		line := readBash(given[2], given[1])
		if line.file { // after < or >
			_, err := io.WriteString(p.Streams.Out, "files\n")
			return err
		}
		if err := answer.ask(ctx, p, line.words); err != nil {
			return err
		}
		n, err := strconv.Atoi(given[0])
		return answer.writeBash(p.Streams.Out, line, err == nil && slices.Contains(listingTypes, n))
	case shell == "fish" && len(given) > 1:
		// The words before the program are assignments of variables, or another program, such as env.
		at := slices.IndexFunc(given[:len(given)-1], func(w string) bool { return filepath.Base(w) == p.Root.Name() })
		given = given[max(at, 0)+1:]
		last := len(given) - 1
		typed := given[last]
		given[last] = readFish(typed)
		if err := answer.ask(ctx, p, given); err != nil {
			return err
		}
		if !strings.HasPrefix(typed, "'") && !strings.HasPrefix(typed, `"`) {
			// fish writes everything else with the necessary quotes.
			answer.candidates = slices.DeleteFunc(answer.candidates, func(c candidateWord) bool { return strings.HasPrefix(c.text, "~") })
		}
		return answer.write(p.Streams.Out, false)
	case len(given) > 0:
		if err := answer.ask(ctx, p, given); err != nil {
			return err
		}
		return answer.write(p.Streams.Out, shell == "zsh")
	}
	return nil
}

// completionAnswer is the candidates for a word.
type completionAnswer struct {
	rule       string
	candidates []candidateWord
}

type candidateWord struct{ text, description string }

// ask asks cobra for the completions of the last word.
func (a *completionAnswer) ask(ctx context.Context, p *Program, words []string) error {
	var out bytes.Buffer
	p.Root.SetOut(&out)
	p.Root.SetErr(io.Discard)
	if err := p.complete(ctx, append([]string{cobra.ShellCompRequestCmd}, words...)); err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	last := len(lines) - 1
	number, err := strconv.Atoi(strings.TrimPrefix(lines[last], ":"))
	if err != nil {
		return fmt.Errorf("%q is no directive", lines[last])
	}
	directive := cobra.ShellCompDirective(number)
	word, before := words[len(words)-1], ""
	if i := strings.IndexByte(word, '='); i > 0 && word[0] == '-' && !slices.Contains(words[:len(words)-1], "--") {
		before = word[:i+1] // cobra completes only the value
	}
	for _, line := range lines[:last] {
		text, description, _ := strings.Cut(line, "\t")
		if text = before + text; strings.HasPrefix(text, word) {
			a.candidates = append(a.candidates, candidateWord{text, description})
		}
	}
	switch {
	case directive&(cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveError) == 0 && len(a.candidates) == 0:
		a.rule = "files"
	case directive&cobra.ShellCompDirectiveNoSpace != 0:
		a.rule = "nospace"
	}
	return nil
}

// write writes the answer for a shell that quotes words itself. With shown, the shell shows a text instead of a word,
// not after it.
func (a *completionAnswer) write(w io.Writer, shown bool) error {
	var b strings.Builder
	b.WriteString(a.rule + "\n")
	widest := 0
	for _, c := range a.candidates {
		widest = max(widest, table.Width(c.text))
	}
	for _, c := range a.candidates {
		b.WriteString(c.text)
		switch {
		case c.description == "":
		case shown:
			b.WriteString("\t" + table.Pad(c.text, widest) + "  -- " + c.description)
		default:
			b.WriteString("\t" + c.description)
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// listingTypes are the values of COMP_TYPE with which bash lists the candidates, and inserts at most their common
// prefix: TAB TAB, and TAB with show-all-if-ambiguous or -unmodified.
var listingTypes = []int{'?', '!', '@'}

// writeBash writes the answer for bash: the replacement for the part of the word that readline replaces.
func (a *completionAnswer) writeBash(w io.Writer, line bashLine, listing bool) error {
	var b strings.Builder
	b.WriteString(a.rule + "\n")
	texts, widest := make([]string, len(a.candidates)), 0
	for i, c := range a.candidates {
		texts[i] = quoteForBash(c.text[len(line.before):], line.quote)
		widest = max(widest, table.Width(texts[i]))
	}
	for i, c := range a.candidates {
		text := texts[i]
		if listing && len(a.candidates) > 1 && c.description != "" {
			text = table.Pad(text, widest) + "  (" + c.description + ")"
		}
		b.WriteString(text + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// readFish returns the meaning of the beginning of a word in fish.
func readFish(typed string) string {
	var b strings.Builder
	var quote byte
	for i := 0; i < len(typed); i++ {
		switch c := typed[i]; {
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && i+1 < len(typed):
			i++
			if quote != 0 && typed[i] != quote && typed[i] != '\\' && (quote == '\'' || typed[i] != '$') {
				b.WriteByte('\\')
			}
			b.WriteByte(typed[i])
		case c != '\\':
			b.WriteByte(c)
		}
	}
	return b.String()
}

// bashLine is a bash command line up to the cursor.
type bashLine struct {
	words  []string // after the program's name, without quotes; the last one is to be completed
	before string   // the beginning of that word, which readline does not replace
	quote  byte     // the open quote: ' or "; 0 for none
	file   bool     // the word is after < or >
}

// readBash splits a line into words as bash does, without expanding anything: $x, $(x) and `x` stay as they are. breaks
// are the characters at which readline begins a new word (COMP_WORDBREAKS).
func readBash(line, breaks string) bashLine {
	r := bashReader{line: line, breaks: breaks}
	for r.at < len(r.line) {
		r.step()
	}
	r.out.words = append(r.out.words, r.word.String())
	if len(r.out.words) > 1 {
		r.out.words = r.out.words[1:]
	}
	return r.out
}

type bashReader struct {
	line, breaks string
	at           int
	word         strings.Builder
	inWord       bool
	unbroken     string // the state before a quote was opened
	out          bashLine
}

// take adds a part of the line to the word.
func (r *bashReader) take(piece string) {
	r.word.WriteString(piece)
	r.inWord = true
}

// end ends the word, if there is one.
func (r *bashReader) end() {
	if r.inWord {
		if !r.out.file {
			r.out.words = append(r.out.words, r.word.String())
		}
		r.out.file = false
	}
	r.word.Reset()
	r.inWord, r.out.before = false, ""
}

// step reads one character, or a complete substitution.
func (r *bashReader) step() {
	c, next := r.line[r.at], ""
	if r.at+1 < len(r.line) {
		next = r.line[r.at+1 : r.at+2]
	}
	open := r.out.quote
	switch {
	case open != 0 && c == open:
		r.out.quote, r.out.before = 0, r.unbroken
	case open == '\'':
		r.take(string(c))
	case c == '\\':
		if open == '"' && !strings.Contains("$`\"\\", next) {
			r.take(`\`)
		}
		r.take(next)
		r.at++
	case c == '$' && next == "(", c == '`':
		r.substitution(c)
	case open == '"':
		r.take(string(c))
	case c == '\'' || c == '"':
		r.take("")
		r.out.quote, r.unbroken, r.out.before = c, r.out.before, r.word.String()
	case strings.IndexByte(" \t\n", c) >= 0:
		r.end()
	case c == '&' && next == ">", c == '>' && next == "&":
		r.at++
		fallthrough
	case c == '<' || c == '>':
		if _, err := strconv.Atoi(r.word.String()); err == nil { // 2>
			r.word.Reset()
			r.inWord = false
		}
		r.end()
		r.out.file = true
	case strings.IndexByte(";&|()", c) >= 0: // another command begins
		r.end()
		r.out = bashLine{}
	default:
		r.take(string(c))
		if strings.IndexByte(r.breaks, c) >= 0 {
			r.out.before = r.word.String()
		}
	}
	r.at++
}

// substitution reads a complete $(x) or `x` unchanged. Within one that is not closed, another command begins.
func (r *bashReader) substitution(c byte) {
	begin, deep := r.at, 0
	for i := r.at; i < len(r.line); i++ {
		switch {
		case r.line[i] == '\\':
			i++
			continue
		case c == '$' && (r.line[i] == '\'' || r.line[i] == '"'):
			if n := strings.IndexByte(r.line[i+1:], r.line[i]); n >= 0 {
				i += n + 1
			}
			continue
		case c == '`' && r.line[i] == '`':
			deep = 1 - deep
		case c == '$' && r.line[i] == '(':
			deep++
		case c == '$' && r.line[i] == ')':
			deep--
		}
		if deep == 0 && i > begin+1 || c == '`' && deep == 0 && i > begin {
			r.take(r.line[begin : i+1])
			r.at = i
			return
		}
	}
	r.end()
	r.out = bashLine{}
	if c == '$' {
		r.at++
	}
}

// bashPlain are the characters that stand for themselves in bash, wherever in a word.
const bashPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+="

// quoteForBash writes a text so that bash, interactive with its history too, reads just that, within the quote that is
// open.
func quoteForBash(text string, quote byte) string {
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case quote == '\'' && c == '\'':
			b.WriteString(`'\''`)
		case quote == '"' && c == '!': // no backslash takes its meaning away there
			b.WriteString(`"\!"`)
		case quote == '"' && strings.IndexByte("$`\"\\", c) >= 0, quote == 0 && c < 0x80 && strings.IndexByte(bashPlain, c) < 0:
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
	}
	quoted := b.String()
	if quote != 0 && strings.HasPrefix(quoted, string(quote)) { // readline treats it as the opening quote
		quoted = string(quote) + quoted
	}
	if quote != 0 && strings.HasSuffix(quoted, string(quote)) { // and this as the closing quote of the word
		quoted += string(quote)
	}
	return quoted
}

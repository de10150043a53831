package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/value/python"
)

// option is one optional argument of a command, or one that is required but has a name.
type option struct {
	long     string // without dashes
	short    string // a letter; may be ""
	meta     string // its value in usage lines, such as <name>
	kind     optionKind
	key      string   // what the API calls it; "" if it is none of the API's
	of       []Kind   // of a reference: the kinds of objects that it may name
	choices  []string // the only values; nil for any
	required bool
	empty    bool   // of a reference: an empty text takes it away
	help     string // one sentence, without a full stop
}

// optionKind is what an option's value is.
type optionKind int

const (
	textOption      optionKind = iota
	integerOption              // a decimal integer
	truthOption                // true or false; an empty text is none
	referenceOption            // an id or a name
	wordsOption                // one or more words, as in --fields id name; may be repeated
	repeatedOption             // a text; may be repeated
	switchOption               // no value
)

// argument is how an option is called in errors: -n/--name.
func (o *option) argument() string {
	if o.short == "" {
		return "--" + o.long
	}
	return "-" + o.short + "/--" + o.long
}

// usage is the option in a usage line: [-n <name>].
func (o *option) usage() []string {
	name := "--" + o.long
	if o.short != "" {
		name = "-" + o.short
	}
	parts := []string{name}
	if o.kind != switchOption {
		parts = append(parts, o.meta)
	}
	if o.kind == wordsOption {
		parts = append(parts, "["+o.meta+" ...]")
	}
	if o.required {
		return parts
	}
	return []string{"[" + strings.Join(parts, " ") + "]"}
}

// optionValue holds what the command line gives for an option.
type optionValue struct {
	*option
	words []string
}

// String is the value as text.
func (v *optionValue) String() string { return strings.Join(v.words, " ") }

// Type is what help shows behind the option's name.
func (v *optionValue) Type() string {
	if v.option == nil { // pflag asks a zero value, to see what a default looks like
		return ""
	}
	switch v.kind {
	case wordsOption:
		return v.meta + " ..."
	case switchOption:
		return "bool" // which pflag shows without a value
	}
	return v.meta
}

// Set takes one value. The errors are those of Python's argparse.
func (v *optionValue) Set(s string) error {
	switch v.kind {
	case integerOption:
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return fmt.Errorf("invalid int value: %s", quoted(s))
		}
		s = strconv.Itoa(n)
	case truthOption:
		truth, ok := truthOf(s)
		if !ok && s != "" {
			return fmt.Errorf("invalid choice: %s (choose from 'true', 'false')", quoted(s))
		}
		if s != "" {
			s = strconv.FormatBool(truth)
		}
	case referenceOption:
		if s == "" && !v.empty {
			return errors.New("expected an id or a name")
		}
	case switchOption:
		if s != "true" { // which pflag gives for the option alone
			return fmt.Errorf("ignored explicit argument %s", quoted(s))
		}
	}
	if v.choices != nil && !slices.Contains(v.choices, s) {
		return invalidChoice(s, v.choices)
	}
	if v.kind != wordsOption && v.kind != repeatedOption {
		v.words = nil
	}
	v.words = append(v.words, s)
	return nil
}

// truthOf reads a boolean as the settings do (settings.Bool).
func truthOf(s string) (truth, ok bool) {
	switch strings.ToLower(s) {
	case "true", "t", "yes", "y", "on", "1":
		return true, true
	case "false", "f", "no", "n", "off", "0":
		return false, true
	}
	return false, false
}

func invalidChoice(s string, choices []string) error {
	all := make([]string, len(choices))
	for i, c := range choices {
		all[i] = quoted(c)
	}
	return errors.New("invalid choice: " + quoted(s) + " (choose from " + strings.Join(all, ", ") + ")")
}

// quoted is a text as Python's repr writes it.
func quoted(s string) string { return python.Repr(s) }

// addOptions declares options, in the order of usage lines.
func addOptions(fs *pflag.FlagSet, options []option) map[string]*optionValue {
	fs.SortFlags = false
	values := map[string]*optionValue{}
	for i := range options {
		o := &options[i]
		v := &optionValue{option: o}
		values[o.long] = v
		f := fs.VarPF(v, o.long, o.short, o.help)
		if o.kind == switchOption {
			f.NoOptDefVal = "true"
		}
	}
	// The original has an underscore there, and nobody expects it.
	fs.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "ip-address" {
			name = "ip_address"
		}
		return pflag.NormalizedName(name)
	})
	return values
}

// call is one use of a command: what its arguments say.
type call struct {
	values map[string]*optionValue
	target string   // the positional argument: the id or name of an object
	words  []string // the arguments after it
}

// given tells whether an option stands on the command line.
func (c *call) given(long string) bool { return c.values[long] != nil && c.values[long].words != nil }

// text is an option's value; "" if it is not given.
func (c *call) text(long string) string {
	if !c.given(long) {
		return ""
	}
	return c.values[long].words[0]
}

// all are the values of an option that may have several.
func (c *call) all(long string) []string {
	if !c.given(long) {
		return nil
	}
	return c.values[long].words
}

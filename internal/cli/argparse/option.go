package argparse

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/value/python"
)

// Option is an optional argument of a command, or a required one with a name.
type Option struct {
	Long     string // without dashes
	Short    string // a letter; may be ""
	Meta     string // its value in usage lines, such as <name>
	Kind     OptionKind
	Key      string   // its name in the API; "" if it is not part of the API
	Of       []Kind   // for a reference: the kinds of objects that it may name
	Choices  []string // the allowed values; nil for any
	Required bool
	Empty    bool   // for a reference: an empty text removes it
	Help     string // one sentence, without a full stop
}

// OptionKind is the type of an option's value.
type OptionKind int

// The kinds of options.
const (
	TextOption      OptionKind = iota
	IntegerOption              // a decimal integer
	TruthOption                // true or false; an empty text means none
	ReferenceOption            // an id or a name
	WordsOption                // one or more words, as in --fields id name; may be repeated
	RepeatedOption             // a text; may be repeated
	SwitchOption               // no value
	TermsOption                // terms, separated by blanks
)

// Argument returns the name of an option in errors: -n/--name.
func (o *Option) Argument() string {
	if o.Short == "" {
		return "--" + o.Long
	}
	return "-" + o.Short + "/--" + o.Long
}

// Usage returns the option in a usage line: [-n <name>].
func (o *Option) Usage() []string {
	name := "--" + o.Long
	if o.Short != "" {
		name = "-" + o.Short
	}
	parts := []string{name}
	if o.Kind != SwitchOption {
		parts = append(parts, o.Meta)
	}
	if o.Kind == WordsOption {
		parts = append(parts, "["+o.Meta+" ...]")
	}
	if o.Required {
		return parts
	}
	return []string{"[" + strings.Join(parts, " ") + "]"}
}

// optionValue stores the values of an option from the command line.
type optionValue struct {
	*Option
	words []string
}

// String returns the value as text.
func (v *optionValue) String() string { return strings.Join(v.words, " ") }

// Type returns the text after the option's name in help.
func (v *optionValue) Type() string {
	if v.Option == nil { // pflag calls it on a zero value, to find out what a default looks like
		return ""
	}
	switch v.Kind {
	case WordsOption:
		return v.Meta + " ..."
	case SwitchOption:
		return "bool" // shown by pflag without a value
	}
	return v.Meta
}

// Set adds one value. The errors are those of Python's argparse.
func (v *optionValue) Set(s string) error {
	switch v.Kind {
	case IntegerOption:
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return fmt.Errorf("invalid int value: %s", Quoted(s))
		}
		s = strconv.Itoa(n)
	case TruthOption:
		truth, ok := TruthOf(s)
		if !ok && s != "" {
			return fmt.Errorf("invalid choice: %s (choose from 'true', 'false')", Quoted(s))
		}
		if s != "" {
			s = strconv.FormatBool(truth)
		}
	case ReferenceOption:
		if s == "" && !v.Empty {
			return errors.New("expected an id or a name")
		}
	case SwitchOption:
		if s != "true" { // the value that pflag passes for the option alone
			return fmt.Errorf("ignored explicit argument %s", Quoted(s))
		}
	}
	if v.Choices != nil && !slices.Contains(v.Choices, s) {
		return InvalidChoice(s, v.Choices)
	}
	if v.Kind != WordsOption && v.Kind != RepeatedOption {
		v.words = nil
	}
	v.words = append(v.words, s)
	return nil
}

// TruthOf parses a boolean like the settings do (settings.Bool).
func TruthOf(s string) (truth, ok bool) {
	switch strings.ToLower(s) {
	case "true", "t", "yes", "y", "on", "1":
		return true, true
	case "false", "f", "no", "n", "off", "0":
		return false, true
	}
	return false, false
}

// InvalidChoice returns the error for a value that is not one of the choices.
func InvalidChoice(s string, choices []string) error {
	all := make([]string, len(choices))
	for i, c := range choices {
		all[i] = Quoted(c)
	}
	return errors.New("invalid choice: " + Quoted(s) + " (choose from " + strings.Join(all, ", ") + ")")
}

// Quoted returns a text as Python's repr writes it.
func Quoted(s string) string { return python.Repr(s) }

// addOptions declares options, in the order of usage lines.
func addOptions(fs *pflag.FlagSet, options []Option) map[string]*optionValue {
	fs.SortFlags = false
	values := map[string]*optionValue{}
	for i := range options {
		o := &options[i]
		v := &optionValue{Option: o}
		values[o.Long] = v
		f := fs.VarPF(v, o.Long, o.Short, o.Help)
		if o.Kind == SwitchOption {
			f.NoOptDefVal = "true"
		}
	}
	// The original has an underscore there, which nobody expects.
	fs.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "ip-address" {
			name = "ip_address"
		}
		return pflag.NormalizedName(name)
	})
	return values
}

// Call is the arguments of one run of a command.
type Call struct {
	Values map[string]*optionValue
	Target string   // the positional argument: the id or name of an object
	Words  []string // the arguments after it
}

// Given reports whether an option is on the command line.
func (c *Call) Given(long string) bool { return c.Values[long] != nil && c.Values[long].words != nil }

// Text returns an option's value; "" if it is not given.
func (c *Call) Text(long string) string {
	if !c.Given(long) {
		return ""
	}
	return c.Values[long].words[0]
}

// All returns the values of an option that may have several.
func (c *Call) All(long string) []string {
	if !c.Given(long) {
		return nil
	}
	return c.Values[long].words
}

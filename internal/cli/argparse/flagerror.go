package argparse

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// FlagError converts an error of pflag to argparse's wording.
func (p *Program) FlagError(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		v, _ := e.GetFlag().Value.(*optionValue)
		if v != nil && v.Kind == WordsOption {
			return Mistake(cmd, "argument %s: expected at least one argument", v.Argument())
		}
		return Mistake(cmd, "argument %s: expected one argument", Argument(e.GetFlag()))
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if e.GetFlag().Value.Type() == "int" { // pflag's own type, with an error from strconv
			return Mistake(cmd, "argument %s: invalid int value: %s", Argument(e.GetFlag()), Quoted(e.GetValue()))
		}
		return Mistake(cmd, "argument %s: %s", Argument(e.GetFlag()), e.Unwrap())
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		given := "--" + e.GetSpecifiedName()
		if short := e.GetSpecifiedShortnames(); short != "" {
			given = "-" + short
		}
		return Unrecognized(cmd, p.withValue(given)...)
	}
	if e, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return Unrecognized(cmd, e.GetSpecifiedFlag())
	}
	return Mistake(cmd, "%s", err)
}

// withValue returns an unknown option as it was given, and what may be its value.
func (p *Program) withValue(option string) []string {
	for i, word := range p.given {
		name, _, attached := strings.Cut(word, "=")
		if name != option {
			continue
		}
		words := []string{word}
		if !attached && i+1 < len(p.given) && !strings.HasPrefix(p.given[i+1], "-") {
			words = append(words, p.given[i+1])
		}
		return words
	}
	return []string{option}
}

package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/cli/argparse"
)

// flagError puts an error of pflag into the words of argparse.
func (p *program) flagError(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		v, _ := e.GetFlag().Value.(*optionValue)
		if v != nil && v.kind == wordsOption {
			return argparse.Mistake(cmd, "argument %s: expected at least one argument", v.argument())
		}
		return argparse.Mistake(cmd, "argument %s: expected one argument", argparse.Argument(e.GetFlag()))
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return argparse.Mistake(cmd, "argument %s: %s", argparse.Argument(e.GetFlag()), e.Unwrap())
	}
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		given := "--" + e.GetSpecifiedName()
		if short := e.GetSpecifiedShortnames(); short != "" {
			given = "-" + short
		}
		return argparse.Unrecognized(cmd, p.withValue(given)...)
	}
	if e, ok := errors.AsType[*pflag.InvalidSyntaxError](err); ok {
		return argparse.Unrecognized(cmd, e.GetSpecifiedFlag())
	}
	return argparse.Mistake(cmd, "%s", err)
}

// withValue is an unknown option as it was given, and what may be its value.
func (p *program) withValue(option string) []string {
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

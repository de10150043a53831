// Package options converts settings to options of modules, and a task's options to settings: what a module needs to
// connect is defined once, for all entry points, in internal/settings.
//
//	fragment := &ansible.Fragment{Name: "craton.fleet.connection", Options: options.Of(settings.Connection)}
//	v, err := options.Settings(task.Params, settings.Connection)
package options

import (
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/modules/ansible"
)

// Of returns the settings as options of a module, each with its environment variables. Names of settings must be unique
// across the sections.
func Of(sections ...settings.Section) (all []ansible.Option) {
	for _, section := range sections {
		for i := range section.Settings {
			all = append(all, option(&section.Settings[i]))
		}
	}
	return all
}

func option(s *settings.Setting) ansible.Option {
	help, _, _ := strings.Cut(s.Help, "; other users") // on a command line, that is
	o := ansible.Option{Name: s.Name, NoLog: s.Secret, Env: append([]string{s.Env}, s.Also...),
		Description: []string{strings.ToUpper(help[:1]) + help[1:] + "."}}
	if s.URL {
		o.Mask = rest.Bare
	}
	for _, choice := range s.Choices {
		o.Choices = append(o.Choices, choice)
	}
	switch s.Kind {
	case settings.Bool:
		o.Type, o.Default = ansible.Bool, s.Default == "true"
	case settings.Int:
		n, _ := strconv.Atoi(s.Default)
		o.Type, o.Default = ansible.Int, n
	case settings.Path:
		o.Type = ansible.Path
	default:
		if s.Default != "" {
			o.Default = s.Default
		}
	}
	return o
}

// Settings returns the task's options over its environment, the configuration file and the defaults.
func Settings(p ansible.Params, sections ...settings.Section) (*settings.Values, error) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	settings.AddFlags(flags, sections...)
	environment := map[string]string{}
	for _, section := range sections {
		for i := range section.Settings {
			s := &section.Settings[i]
			value := text(p, s)
			if value == "" { // as everywhere, an empty setting is none
				continue
			}
			switch p.Source(s.Name) {
			case ansible.FromTask:
				name := s.Flag
				if name == "" {
					name = strings.ReplaceAll(s.Name, "_", "-")
				}
				if err := flags.Set(name, value); err != nil {
					return nil, err
				}
			case ansible.FromEnv:
				environment[s.Env] = value
			}
		}
	}
	v, err := settings.LoadEnv(flags, func(name string) (string, bool) {
		if value, ok := environment[name]; ok {
			return value, true
		}
		return os.LookupEnv(name)
	}, sections...)
	if err != nil {
		return nil, errors.New(flagPrefix().ReplaceAllString(err.Error(), ""))
	}
	v.Options = true
	return v, nil
}

// text returns the option's value as the text of a flag.
func text(p ansible.Params, s *settings.Setting) string {
	switch s.Kind {
	case settings.Bool:
		return strconv.FormatBool(p.Bool(s.Name))
	case settings.Int:
		return strconv.FormatInt(p.Int(s.Name), 10)
	default:
		return p.String(s.Name)
	}
}

// flagPrefix is how an error of the settings refers to an option.
var flagPrefix = value.LazyPattern(`^flag --[a-z-]+: `)

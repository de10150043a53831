package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
	"gopkg.in/yaml.v3"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/nearest"
)

const (
	// ConfigEnv is the variable with the path of the configuration file.
	ConfigEnv = "CRATON_CONFIG"
	// SystemFile is read if the user has no file of their own.
	SystemFile = "/etc/craton/config.yml"
)

// Load determines the value of every setting of the sections: flag > environment > file > default. fs may be nil. The
// complete file is checked, including other sections.
func Load(flags *pflag.FlagSet, sections ...Section) (*Values, error) {
	return LoadEnv(flags, os.LookupEnv, sections...)
}

// LoadEnv is like Load, with an environment other than the process's.
func LoadEnv(flags *pflag.FlagSet, env func(string) (string, bool), sections ...Section) (*Values, error) {
	return load(flags, env, SearchPath(), sections...)
}

// SearchPath returns the default configuration files; the first existing one is read.
func SearchPath() []string {
	var paths []string
	if dir, err := os.UserConfigDir(); err == nil {
		paths = append(paths, filepath.Join(dir, "craton", "config.yml"))
	}
	return append(paths, SystemFile)
}

// More reads settings of sections for which the command has no flags, from the environment and the file of v.
func (v *Values) More(sections ...Section) (*Values, error) {
	env := func(name string) (string, bool) {
		if name == ConfigEnv {
			return v.File, v.File != ""
		}
		return v.env(name)
	}
	return load(nil, env, nil, sections...)
}

func load(flags *pflag.FlagSet, env func(string) (string, bool), search []string, sections ...Section) (*Values, error) {
	path, err := configFile(flags, env, search)
	if err != nil {
		return nil, err
	}
	file, err := readFile(path)
	if err != nil {
		return nil, err
	}
	v := &Values{values: map[string]value{}, File: path, env: env}
	for i := range sections {
		for j := range sections[i].Settings {
			s := &sections[i].Settings[j]
			got, err := s.find(sections[i].lookupFlag(flags, s), env, file[sections[i].Key(s.Name)])
			if err != nil {
				return nil, err
			}
			v.values[sections[i].Key(s.Name)] = got
		}
	}
	return v, nil
}

// FlagError is the error for an invalid value of a setting's flag: a mistake in the arguments of a command.
type FlagError struct{ err error }

// Error names the flag, and says what is allowed.
func (e *FlagError) Error() string { return e.err.Error() }

// Unwrap returns the cause.
func (e *FlagError) Unwrap() error { return e.err }

// Fault returns the error for a value that violates a rule other than that of its setting: a [FlagError] if it comes
// from a flag.
func (v *Values) Fault(name string, err error) error {
	if err != nil && v.Source(name).From == FromFlag {
		return &FlagError{err}
	}
	return err
}

// find uses the first source with a value.
func (s *Setting) find(flag *pflag.Flag, env func(string) (string, bool), fromFile *value) (value, error) {
	text, source := s.Default, Source{From: FromDefault}
	if flag != nil && flag.Changed {
		text, source = flag.Value.String(), Source{From: FromFlag, Name: "--" + flag.Name}
	} else if name, e := s.variable(env); e != "" {
		text, source = e, Source{From: FromEnvironment, Name: name}
	} else if fromFile != nil {
		return *fromFile, nil
	}
	data, err := s.parse(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", source, err)
		if source.From == FromFlag {
			err = &FlagError{err}
		}
		return value{}, err
	}
	return value{setting: s, data: data, source: source}, nil
}

// variable returns the setting's first environment variable that is not empty: an empty one counts as unset (contract
// §8.1).
func (s *Setting) variable(env func(string) (string, bool)) (name, text string) {
	for _, name := range append([]string{s.Env}, s.Also...) {
		if text, _ := env(name); text != "" {
			return name, text
		}
	}
	return "", ""
}

// lookupFlag returns the flag that AddFlags has declared for a setting, nil if it has not.
func (s *Section) lookupFlag(flags *pflag.FlagSet, of *Setting) *pflag.Flag {
	for _, name := range []string{of.FlagName(), s.longFlag(of)} {
		if f := lookupFlag(flags, name); f != nil {
			if value, ok := f.Value.(*flagValue); ok && value.of == of {
				return f
			}
		}
	}
	return nil
}

func lookupFlag(flags *pflag.FlagSet, name string) *pflag.Flag {
	if flags == nil {
		return nil
	}
	return flags.Lookup(name)
}

// configFile determines which file is read. A named one must exist.
func configFile(flags *pflag.FlagSet, env func(string) (string, bool), search []string) (string, error) {
	named, by := "", ""
	if f := lookupFlag(flags, configFlag); f != nil && f.Changed {
		named, by = f.Value.String(), "flag --"+configFlag
	} else if e, _ := env(ConfigEnv); e != "" {
		named, by = e, "environment "+ConfigEnv
	}
	if named != "" {
		if _, err := os.Stat(named); err != nil {
			return "", fmt.Errorf("%s names a configuration file that cannot be read: %w", by, err)
		}
		return named, nil
	}
	for _, path := range search {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return "", fmt.Errorf("configuration file: %w", err)
		}
	}
	return "", nil
}

// readFile reads and checks a complete configuration file; the keys of the result are those of Values. "" is an empty
// file.
func readFile(path string) (map[string]*value, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	found := map[string]*value{}
	if len(doc.Content) == 0 { // empty, or only comments
		return found, nil
	}
	r := reader{path: path, found: found}
	if err := r.mapping(doc.Content[0], ""); err != nil {
		return nil, err
	}
	return found, r.checkMode()
}

// reader reads a configuration file.
type reader struct {
	path   string
	found  map[string]*value
	secret string // the first secret in the file
}

func (r *reader) errorf(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("configuration file %s:%d: %w", r.path, n.Line, fmt.Errorf(format, args...))
}

// mapping reads the settings of one section, and at the top level the other sections.
func (r *reader) mapping(n *yaml.Node, section string) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return r.errorf(n, "must be a mapping of settings")
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		if err := r.entry(section, key, val); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) entry(section string, key, val *yaml.Node) error {
	var known []string
	for _, sec := range all() {
		if section == "" && sec.Name != "" {
			if sec.Name == key.Value {
				return r.mapping(val, sec.Name)
			}
			known = append(known, sec.Name)
		}
		if sec.Name != section {
			continue
		}
		for i := range sec.Settings {
			s := &sec.Settings[i]
			if s.Name == key.Value {
				return r.setting(&sec, s, key, val)
			}
			known = append(known, s.Name)
		}
	}
	where := "at the top level"
	if section != "" {
		where = "in " + section
	}
	return r.errorf(key, "%w", advice.With(fmt.Errorf("unknown setting %q %s", key.Value, where), nearest.Hint(key.Value, known)))
}

func (r *reader) setting(sec *Section, s *Setting, key, val *yaml.Node) error {
	name := sec.Key(s.Name)
	if r.found[name] != nil {
		return r.errorf(key, "%s is set twice", s.Name)
	}
	v := value{setting: s, source: Source{From: FromFile, Name: r.path, Line: key.Line}}
	var err error
	switch {
	case val.Kind == yaml.AliasNode:
		return r.setting(sec, s, key, val.Alias)
	case s.Kind == List && val.Kind == yaml.SequenceNode:
		words := []string{}
		for _, item := range val.Content {
			if item.Kind != yaml.ScalarNode {
				return r.errorf(item, "%s must be a list of words", s.Name)
			}
			words = append(words, item.Value)
		}
		v.data, err = words, s.checkWords(words)
	case val.Kind != yaml.ScalarNode:
		return r.errorf(val, "%s must be a single value", s.Name)
	case val.Tag == "!!null":
		v.data, err = s.parse("")
	default:
		v.data, err = s.parse(val.Value)
	}
	if err != nil {
		return r.errorf(val, "%w", err)
	}
	if s.Secret && val.Value != "" || s.URL && urlWithPassword.MatchString(val.Value) {
		r.secret = s.Name
	}
	r.found[name] = &v
	return nil
}

// checkMode refuses a file with a secret that everyone on the machine can read.
func (r *reader) checkMode() error {
	if r.secret == "" {
		return nil
	}
	info, err := os.Stat(r.path)
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	if info.Mode().Perm()&0o004 != 0 {
		return fmt.Errorf("configuration file %s contains %s and everyone on this machine can read it: chmod 600 %s", r.path, r.secret, r.path)
	}
	return nil
}

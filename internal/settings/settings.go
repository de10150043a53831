package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/when"
)

// Kind is the type of a setting's value.
type Kind int

// The kinds of settings, with their text in a flag or the environment.
const (
	String   Kind = iota // any text
	Bool                 // true, yes, on, 1 and false, no, off, 0, in any case
	Int                  // a decimal integer
	Duration             // seconds as a number, or 90s, 2m, 30d
	List                 // words separated by commas; in the file also a YAML list
	Path                 // the path of a file or directory
	Moment               // a revision of the change log, or a time as people type it; as text, because the time zone is not known here
)

// Setting is one setting.
type Setting struct {
	Name    string   // in the file, such as validate_certs
	Flag    string   // without dashes; "" means Name with dashes for underscores
	Short   string   // a letter for the flag; may be ""
	Env     string   // environment variable
	Also    []string // other variables for the same setting; the first that is not empty is used if Env is
	Kind    Kind     //
	Default string   // as text; "" is the zero value
	Choices []string // the allowed values, for strings and for the words of a list
	Help    string   // one sentence, without a full stop
	Secret  bool     // never shown
	URL     bool     // shown without the user and the password in it
}

// FlagName returns the setting's flag.
func (s *Setting) FlagName() string {
	if s.Flag != "" {
		return s.Flag
	}
	return strings.ReplaceAll(s.Name, "_", "-")
}

// Section is a group of settings: Name is the mapping with them in the file, "" its top level.
type Section struct {
	Name     string
	Settings []Setting
}

// Key returns the key of a setting in Values: "url", "inventory.vars".
func (s *Section) Key(name string) string {
	if s.Name == "" {
		return name
	}
	return s.Name + "." + name
}

// Only returns the section with only the settings of these names, which must exist.
func (s *Section) Only(names ...string) Section {
	part := Section{Name: s.Name}
	for _, name := range names {
		i := slices.IndexFunc(s.Settings, func(one Setting) bool { return one.Name == name })
		part.Settings = append(part.Settings, s.Settings[i])
	}
	return part
}

// all returns the sections that a configuration file may contain, whichever entry point reads it.
func all() []Section {
	return []Section{Connection, CLI, Screen, Inventory, Server, Iotronic, IotronicInventory}
}

// configFlag is the flag for the configuration file.
const configFlag = "config"

// AddFlags declares a flag for each setting of the sections, and --config. Where a flag is declared already, as by a
// section before it, the section's name stands before that of the setting: --iotronic-inventory-hostname.
func AddFlags(fs *pflag.FlagSet, sections ...Section) {
	if fs.Lookup(configFlag) == nil {
		fs.String(configFlag, "", "configuration `FILE` (environment CRATON_CONFIG)")
	}
	for _, section := range sections {
		for i := range section.Settings {
			s := &section.Settings[i]
			name := s.FlagName()
			if fs.Lookup(name) != nil {
				name = section.longFlag(s)
			}
			fs.VarP(&flagValue{of: s}, name, s.Short, usage(s))
			if s.Kind == Bool {
				fs.Lookup(name).NoOptDefVal = "true"
			}
		}
	}
}

// longFlag returns the flag of a setting whose own is taken.
func (s *Section) longFlag(of *Setting) string {
	return strings.ReplaceAll(s.Name, "_", "-") + "-" + of.FlagName()
}

// IsFlag reports whether a flag is a setting's, and not a command's own of the same name.
func IsFlag(f *pflag.Flag) bool {
	_, ok := f.Value.(*flagValue)
	return ok
}

// About returns what the setting does, and the values that it may have.
func (s *Setting) About() string {
	switch {
	case len(s.Choices) == 0:
		return s.Help
	case s.Kind == List:
		return s.Help + "; any of " + strings.Join(s.Choices, ", ")
	default:
		return s.Help + "; one of " + strings.Join(s.Choices, ", ")
	}
}

// usage returns the setting's line in the help: what it does, choices, environment and default.
func usage(s *Setting) string {
	u := s.About()
	u += " (environment " + s.Env
	if s.Default != "" {
		u += "; default " + s.Default
	}
	return u + ")"
}

// flagValue keeps a flag's text; Load gives it meaning, so that flags, environment and file say the same errors.
type flagValue struct {
	of   *Setting
	text string
	set  bool
}

func (f *flagValue) String() string { return f.text }

func (f *flagValue) Set(s string) error {
	if f.of.Kind == Moment {
		if err := when.CheckGiven(s); err != nil {
			return err
		}
	}
	if f.of.Kind == List && f.set { // --label a --label b
		s = f.text + "," + s
	}
	f.text, f.set = s, true
	return nil
}

func (f *flagValue) Type() string {
	return [...]string{"text", "bool", "number", "duration", "list", "path", "time"}[f.of.Kind]
}

// Values are the settings' values, each with where it came from. Names are "url" for a top-level setting
// and "inventory.vars" for one of a section. Asking for an unknown name is a programming error and panics.
type Values struct {
	values map[string]value
	// File is the configuration file that was read, "" if none.
	File string

	// Options is set if the flags are options of a task, so that errors call them options.
	Options bool

	env func(string) (string, bool)
}

// Origin returns what has set a value, for people: a flag or a task's option, a variable, or a line of the
// configuration file.
func (v *Values) Origin(name string) string {
	got := v.get(name)
	if v.Options && got.source.From == FromFlag {
		return "option " + got.setting.Name
	}
	return got.source.String()
}

// Variable returns a variable of the environment that the settings are from which is none of theirs; "" if it is not
// set.
func (v *Values) Variable(name string) string {
	if v.env == nil {
		return ""
	}
	text, _ := v.env(name)
	return text
}

type value struct {
	setting *Setting
	data    any // string, bool, int, time.Duration, []string
	source  Source
}

// Source says where a value came from.
func (v *Values) Source(name string) Source { return v.get(name).source }

// IsDefault reports whether nobody set the value.
func (v *Values) IsDefault(name string) bool { return v.get(name).source.From == FromDefault }

// String returns the value of a setting of kind String, Path or Moment.
func (v *Values) String(name string) string { return v.get(name).data.(string) }

// Bool returns the value of a setting of kind Bool.
func (v *Values) Bool(name string) bool { return v.get(name).data.(bool) }

// Int returns the value of a setting of kind Int.
func (v *Values) Int(name string) int { return v.get(name).data.(int) }

// Duration returns the value of a setting of kind Duration.
func (v *Values) Duration(name string) time.Duration { return v.get(name).data.(time.Duration) }

// List returns the value of a setting of kind List; nil when empty.
func (v *Values) List(name string) []string { return v.get(name).data.([]string) }

func (v *Values) get(name string) value {
	got, ok := v.values[name]
	if !ok {
		panic("settings: no setting is called " + name)
	}
	return got
}

// parse gives a text its type and checks the choices. The error says what is allowed, never the text of a secret.
func (s *Setting) parse(text string) (any, error) {
	if !s.Secret && !s.URL && urlWithUser.MatchString(text) {
		return nil, fmt.Errorf("%s must not be a URL with a user or password: unset it, and use the settings for URLs, users and passwords", s.Name)
	}
	bad := func(want string) error {
		if s.Secret {
			return fmt.Errorf("%s must be %s", s.Name, want)
		}
		return fmt.Errorf("%s must be %s, not %q", s.Name, want, text)
	}
	switch s.Kind {
	case Path:
		return inHome(text)
	case String, Moment:
		if path, ok := strings.CutPrefix(text, sqliteURL); ok && s.URL {
			path, err := inHome(path)
			return sqliteURL + path, err
		}
		if len(s.Choices) > 0 && text != "" && !slices.Contains(s.Choices, text) {
			return nil, bad("one of " + strings.Join(s.Choices, ", "))
		}
		return text, nil
	case Bool:
		switch strings.ToLower(text) {
		case "true", "yes", "on", "1", "y", "t":
			return true, nil
		case "false", "no", "off", "0", "n", "f", "":
			return false, nil
		}
		return nil, bad("true or false")
	case Int:
		if text == "" {
			return 0, nil
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, bad("a whole number, 0 or more")
		}
		return n, nil
	case Duration:
		if text == "" {
			return time.Duration(0), nil
		}
		if seconds, err := strconv.ParseFloat(text, 64); err == nil && seconds >= 0 && seconds < 1e9 {
			return time.Duration(seconds * float64(time.Second)), nil
		}
		if days, ok := strings.CutSuffix(text, "d"); ok {
			if n, err := strconv.ParseUint(days, 10, 16); err == nil {
				return time.Duration(n) * 24 * time.Hour, nil
			}
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return nil, bad("a number of seconds, or a time such as 90s, 2m or 30d")
		}
		return d, nil
	case List:
		var words []string
		for word := range strings.SplitSeq(text, ",") {
			if word = strings.TrimSpace(word); word != "" {
				words = append(words, word)
			}
		}
		return words, s.checkWords(words)
	}
	panic("settings: unknown kind")
}

// sqliteURL is how the URL of a file begins.
const sqliteURL = "sqlite:"

// inHome returns a path that may begin with ~, as no shell sees it in a configuration file, nor behind a = in a flag.
func inHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("%s is in the home directory, which is unknown (%w): write the full path", path, err)
	}
	return filepath.Join(home, rest), nil
}

// urlWithUser is a URL with something before an @: it would be shown by every error about the setting.
var urlWithUser = regexp.MustCompile(`(?i)(^|[\s,])[a-z][a-z0-9+.-]*://[^/\s]*(@|%(25)*40)`)

// urlWithPassword is the URL of a database that has a password in it.
var urlWithPassword = regexp.MustCompile(`(?i)^postgres(ql)?://([^/]*:[^/]*@|.*[?&](ssl)?password=)`)

func (s *Setting) checkWords(words []string) error {
	for _, w := range words {
		if urlWithUser.MatchString(w) {
			return fmt.Errorf("%s contains a URL with a user or password: remove it", s.Name)
		}
		if len(s.Choices) > 0 && !slices.Contains(s.Choices, w) {
			return advice.With(fmt.Errorf("%s contains %q, which is not allowed", s.Name, w), fmt.Sprintf("use one or more of %s", strings.Join(s.Choices, ", ")))
		}
	}
	return nil
}

package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/cli/argparse"
	"github.com/craton-fleet/craton/internal/cli/show"
	"github.com/craton-fleet/craton/internal/connect"
	"github.com/craton-fleet/craton/internal/nearest"
	"github.com/craton-fleet/craton/internal/output"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/table"
)

func newConfig(s output.Streams) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "config [NAME...]",
		Short: "Show the settings, and where each value comes from",
		Long: `Show the settings that are set, each with its value (for secrets, only that they are set) and its source: a flag, an
environment variable, or a line of the configuration file. With --all, include those that have their default. With NAME, show
only that setting (url, inventory.vars), section (inventory) or environment variable (CRATON_URL), set or not. Environment
variables that begin with CRATON_ but are unknown are reported.`,
		Example: `  craton config
  craton config --all
  craton config url inventory
  craton config --format json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := settings.Load(cmd.Flags(), settings.Sections()...)
			if err != nil {
				return err
			}
			c := configuration{file: v.File, searched: settings.SearchPath(), unknown: settings.UnknownVariables(os.Environ())}
			if c.entries, err = chosenSettings(append(v.Entries(), v.Variables(connect.ServiceVariables()...)...), args); err != nil {
				return err
			}
			if len(args) == 0 && !all {
				c.leaveDefaults()
			}
			return c.write(s, v.String("cli.format"))
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "include settings that have their default")
	settings.AddFlags(cmd.Flags(), settings.Sections()...)
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var keys []string
		for _, section := range settings.Sections() {
			for _, s := range section.Settings {
				keys = append(keys, section.Key(s.Name))
			}
		}
		return keys, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}

// chosenSettings returns the settings that words name: by key, section, or variable, or else by the name without its
// section. No words select all.
func chosenSettings(all []settings.Entry, words []string) ([]settings.Entry, error) {
	if len(words) == 0 {
		return all, nil
	}
	chosen := map[string]bool{} // by key
	choose := func(is func(settings.Entry) bool) (found bool) {
		for _, e := range all {
			if is(e) {
				found, chosen[e.Key] = true, true
			}
		}
		return found
	}
	for _, w := range words {
		found := choose(func(e settings.Entry) bool {
			section, _, in := strings.Cut(e.Key, ".")
			return w == e.Key || in && w == section || w == e.Env || slices.Contains(e.Also, w)
		}) || choose(func(e settings.Entry) bool { return w == e.Name })
		if !found {
			var known []string
			for _, e := range all {
				known = append(known, e.Key)
			}
			return nil, argparse.Misused("%s", advice.With(fmt.Errorf("no setting is called %q", w), nearest.Hint(w, known)))
		}
	}
	return slices.DeleteFunc(all, func(e settings.Entry) bool { return !chosen[e.Key] }), nil
}

// configuration is the output of `craton config`.
type configuration struct {
	file     string   // the file that was read, "" if none
	searched []string // where files are searched for
	entries  []settings.Entry
	defaults int // number of settings left out of entries
	unknown  []settings.Unknown
}

// leaveDefaults keeps only settings that something sets.
func (c *configuration) leaveDefaults() {
	all := len(c.entries)
	c.entries = slices.DeleteFunc(c.entries, func(e settings.Entry) bool { return e.Source.From == settings.FromDefault })
	c.defaults = all - len(c.entries)
}

func (c *configuration) write(s output.Streams, format string) error {
	switch format {
	case show.FormatJSON, show.FormatYAML:
		if err := show.WriteDocument(s.Out, format, c.document()); err != nil {
			return err
		}
	case show.FormatCSV:
		rows := [][]string{{"setting", "value", "from"}}
		for _, e := range c.entries {
			rows = append(rows, []string{e.Key, e.Text(), e.Source.String()})
		}
		if err := show.WriteCSV(s.Out, rows); err != nil {
			return err
		}
	default:
		if _, err := io.WriteString(s.Out, c.table(show.AppearanceOf(s.Out))); err != nil {
			return err
		}
	}
	if c.defaults > 0 {
		fmt.Fprintf(s.Err, "%d set; --all also shows the %d that have their defaults\n", len(c.entries), c.defaults)
	}
	if format == show.FormatJSON || format == show.FormatYAML { // the document has them
		return nil
	}
	for _, u := range c.unknown {
		fmt.Fprintf(s.Err, "WARNING: %s is set, but nothing reads it%s\n", u.Name, didYouMean(u.Nearest))
	}
	return nil
}

// didYouMean is the end of an error about an unknown word.
func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return "; did you mean " + word + "?"
}

// table returns the settings for people.
func (c *configuration) table(look show.Appearance) string {
	var b strings.Builder
	if c.file != "" {
		fmt.Fprintf(&b, "configuration file: %s\n\n", c.file)
	} else {
		fmt.Fprintf(&b, "no configuration file; looked for %s\n\n", strings.Join(c.searched, " and "))
	}
	if len(c.entries) == 0 {
		return strings.TrimSuffix(b.String(), "\n")
	}
	rows := [][3]string{{"SETTING", "VALUE", "FROM"}}
	for _, e := range c.entries {
		rows = append(rows, [3]string{e.Key, show.Clean(e.Text()), show.Clean(e.Source.String())})
	}
	wide := [2]int{}
	for _, row := range rows {
		for i := range wide {
			wide[i] = max(wide[i], table.Width(row[i]))
		}
	}
	for i, row := range rows {
		line := table.Pad(row[0], wide[0]) + "  " + table.Pad(row[1], wide[1]) + "  " + row[2]
		switch {
		case i == 0, c.entries[i-1].Source.From == settings.FromDefault:
			line = look.Dim(line)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// The document for --format json and yaml.
type (
	configDocument struct {
		File     *string                    `json:"file"` // null if there is none
		Searched []string                   `json:"searched"`
		Settings map[string]settingDocument `json:"settings"`
		Unknown  []unknownDocument          `json:"unknown_environment"`
	}
	settingDocument struct {
		Value any            `json:"value"`
		From  sourceDocument `json:"from"`
	}
	sourceDocument struct {
		Type settings.From `json:"type"`           // flag, environment, file, default
		Name string        `json:"name,omitempty"` // the flag, the variable, or the file's path
		Line int           `json:"line,omitempty"`
	}
	unknownDocument struct {
		Name    string `json:"name"`
		Nearest string `json:"nearest"` // "" if nothing is similar
	}
)

func (c *configuration) document() configDocument {
	doc := configDocument{Searched: c.searched, Settings: map[string]settingDocument{}, Unknown: []unknownDocument{}}
	if c.file != "" {
		doc.File = &c.file
	}
	for _, e := range c.entries {
		doc.Settings[e.Key] = settingDocument{e.Value(), sourceDocument{e.Source.From, e.Source.Name, e.Source.Line}}
	}
	for _, u := range c.unknown {
		doc.Unknown = append(doc.Unknown, unknownDocument(u))
	}
	return doc
}

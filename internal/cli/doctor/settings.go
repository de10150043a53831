package doctor

import (
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/craton-fleet/craton/internal/settings"
)

// checkSettings reads the settings of the connection and of the inventory, each nil if they are invalid, and checks the
// file and the environment that they come from.
func (d *doctor) checkSettings(flags *pflag.FlagSet) (v, iv *settings.Values) {
	v, err := settings.Load(flags, settings.Connection, settings.CLI)
	if err != nil {
		d.addError("settings", err, adviceConfig)
		v = nil
	} else {
		d.checkConfigFile(v)
	}
	if iv, err = settings.Load(flags, settings.Inventory); err != nil {
		iv = nil
		if v != nil { // otherwise it is the same file with the same error
			d.addError("inventory settings", err, adviceConfig)
		}
	}
	for _, u := range settings.UnknownVariables(os.Environ()) {
		advice := "unset it, or correct its name; " + adviceConfig
		if u.Nearest != "" {
			advice = "set " + u.Nearest + " instead"
		}
		d.warn("environment", advice, "%s is set, but nothing reads it", u.Name)
	}
	return v, iv
}

// checkConfigFile checks who else may change or read the configuration file. If everybody can read a secret in it, Load
// returns an error.
func (d *doctor) checkConfigFile(v *settings.Values) {
	const check = "settings"
	if v.File == "" {
		d.ok(check, "no configuration file; looked for %s", strings.Join(settings.SearchPath(), " and "))
		return
	}
	info, err := os.Stat(v.File)
	if err != nil {
		d.problem(check, "make it readable, or name another file with --config", "the configuration file cannot be read: %v", err)
		return
	}
	switch owner, foreign := ownedByOther(info); {
	case info.Mode().Perm()&0o002 != 0:
		d.problem(check, "chmod o-w "+v.File, "everyone on this machine can write to the configuration file %s, and so redirect you and your API key to another server", v.File)
	case info.Mode().Perm()&0o020 != 0:
		d.warn(check, "chmod g-w "+v.File, "its group can write to the configuration file %s, and so redirect you and your API key to another server", v.File)
	case foreign:
		d.warn(check, "make sure that you trust that user, or chown it", "the configuration file %s belongs to user %d, who can change it", v.File, owner)
	default:
		d.ok(check, "%s, %s", v.File, modeText(info))
	}
}

// modeText returns the permissions of a file, as ls shows them.
func modeText(info fs.FileInfo) string { return "mode " + info.Mode().Perm().String() }

// Package settings defines every setting of this program once, and reads their values.
//
// A [Setting] is a literal: its name in the configuration file, its flag, its environment variable, its kind, its
// default and its help. Settings are grouped in sections: [Connection] (the top level of the file) is for the
// connection to the API, [Inventory] (the file's mapping "inventory") for the Ansible inventory, and [Iotronic] and
// [IotronicInventory] are the same for Ironic and Iotronic.
//
// The value of a setting is taken from the first of these that sets it:
//
//  1. the flag on the command line,
//  2. the environment variable (an empty one counts as unset), then the setting's other variables, if any,
//  3. the configuration file,
//  4. the default.
//
// At most one configuration file is read: the file in --config or CRATON_CONFIG (which must exist), otherwise
// craton/config.yml in the user's configuration directory ($XDG_CONFIG_HOME, or ~/.config), otherwise
// /etc/craton/config.yml. Files are not merged. An unknown key is an error that states the line and the nearest known
// key. A file that contains a secret must not be readable by everyone.
//
//	fs := pflag.NewFlagSet("craton", pflag.ContinueOnError)
//	settings.AddFlags(fs, settings.Connection)
//	_ = fs.Parse(os.Args[1:])
//	v, err := settings.Load(fs, settings.Connection)
//	v.String("url")
package settings

// Package settings holds the one definition of every setting of this program, and finds their values.
//
// A [Setting] is a literal: its name in the configuration file, its flag, its environment variable, its kind, its
// default and its help. Settings stand in a [Section]: [Connection] (the top level of the file) says how the API is
// reached, [Inventory] (the file's mapping "inventory") what the Ansible inventory looks like, [Iotronic] and
// [IotronicInventory] the same of Ironic and Iotronic.
//
// A value comes from the first of these that has one:
//
//  1. the flag on the command line,
//  2. the environment variable (an empty one counts as unset), then the other variables that the setting may have,
//  3. the configuration file,
//  4. the default.
//
// There is at most one configuration file: the one that --config or CRATON_CONFIG names (it must exist), else
// craton/config.yml in the user's configuration folder ($XDG_CONFIG_HOME, or ~/.config), else
// /etc/craton/config.yml. Files are not merged. An unknown key is an error that names the line and the nearest
// known key. A file that holds a secret must not be readable by everyone.
//
//	fs := pflag.NewFlagSet("craton", pflag.ContinueOnError)
//	settings.AddFlags(fs, settings.Connection)
//	_ = fs.Parse(os.Args[1:])
//	v, err := settings.Load(fs, settings.Connection)
//	v.String("url")
package settings

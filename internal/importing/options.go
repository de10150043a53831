package importing

// Choice determines what becomes of variables that Craton cannot pass on unchanged.
type Choice string

// Keep keeps them: templates and vaults in Ansible's own files, texts with the tag !unsafe in the fleet. Leave leaves
// them out.
const (
	Undecided Choice = ""
	Keep      Choice = "keep"
	Leave     Choice = "leave"
)

// Level is a level of places.
type Level int

// The levels of places.
const (
	Cloud Level = iota
	Region
	Cell
	levels
)

// String returns the level's name.
func (l Level) String() string { return [...]string{"cloud", "region", "cell"}[l] }

// Levels are all of them, by name.
var Levels = map[string]Level{"cloud": Cloud, "region": Region, "cell": Cell}

// Rules are the rules of Craton's inventory.
type Rules struct {
	// GroupName returns the name of a group of a kind ("label", "cloud", ...) in Ansible.
	GroupName func(kind string, parts ...string) string
	// CheckHostName returns why a host cannot have a name in the inventory.
	CheckHostName func(name string) error
	// Inert reports whether no part of a text can become a part of a template.
	Inert func(text string) bool
}

// Options determine how an inventory becomes a fleet.
type Options struct {
	// Map has groups that are places, as names or patterns of path.Match. With Infer, groups that look like places are
	// found too.
	Map   [levels][]string
	Infer bool
	// Cloud and Region are the names of places for hosts that have none.
	Cloud, Region string
	// DeviceType is the type of all hosts, except for those in Types.
	DeviceType string
	Types      map[string]string
	// Table is set for a source that is not an inventory: nothing stays in Ansible, and no playbook refers to its
	// groups.
	Table bool

	Templates, Vaults, Unsafe Choice

	// AllStays keeps the variables of the group all in Ansible. Otherwise they become the project's.
	AllStays bool
	// Plugin uses the collection's inventory plugin to read the fleet, instead of a script.
	Plugin bool
	// Address returns the address of a host from its DNS name; "" if there is none. nil looks nothing up. It is called
	// concurrently.
	Address func(name string) string

	Rules Rules
}

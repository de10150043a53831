package importing

// Choice says what becomes of variables that Craton cannot hand on as what they are.
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

// Rules are the inventory's rules for what Ansible gets of a fleet.
type Rules struct {
	// GroupName returns the name of a group of a kind ("label", "cloud", ...) in Ansible.
	GroupName func(kind string, parts ...string) string
	// CheckHostName returns why a host may not have a name there.
	CheckHostName func(name string) error
	// Inert reports whether nothing of a text can become a part of a template.
	Inert func(text string) bool
}

// Options say how an inventory becomes a fleet.
type Options struct {
	// Map has groups that are places, as names or patterns of path.Match. With Infer, groups are found that look like
	// places.
	Map   [levels][]string
	Infer bool
	// Cloud and Region are the names of places for hosts that are in none.
	Cloud, Region string
	// DeviceType is that of all hosts, but of those that Types has.
	DeviceType string
	Types      map[string]string
	// Table is of a source that is no inventory: nothing stays in Ansible, and no playbook names its groups.
	Table bool

	Templates, Vaults, Unsafe Choice

	// AllStays keeps the variables of the group all in Ansible. Otherwise they are the project's.
	AllStays bool
	// Plugin has the collection's inventory plugin give the fleet, and not a script.
	Plugin bool
	// Address finds the address of a host by its DNS name; "" if there is none. nil finds none. It is called for many
	// at once.
	Address func(name string) string

	Rules Rules
}

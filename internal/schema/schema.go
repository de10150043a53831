package schema

import (
	"slices"
	"strings"
)

// MaxText is the maximum length of a [Text] in characters (v1 contract §2.1.4).
const MaxText = 255

// MaxLongText is the maximum length of a [LongText] in bytes: that of a TEXT in MySQL, where the original stores it.
const MaxLongText = 65535

// Type is the type of a field's values. All except Integer, Flag and Reference are JSON strings.
type Type uint8

// The types.
const (
	Text      Type = iota // up to MaxText characters; "" and null are equal
	LongText              // up to MaxLongText bytes
	Address               // an IPv4 or IPv6 address without a zone; spellings of one address are equal
	Prefix                // a range of addresses, such as 10.20.0.0/24
	Integer               // a signed 32-bit integer
	Flag                  // true or false
	Reference             // the id of another object: an integer, a UUID for projects
)

// Field is a member of an object other than its id, name, times, labels and variables.
type Field struct {
	Key      string   // in the API's JSON: "ip_address", "cloud_id"
	Type     Type     //
	To       []string // names of the kinds that a Reference may name
	Required bool     // to create an object
	Fixed    bool     // cannot be changed after creation (v1 contract §2.4)
	Nullable bool     // an update removes it with null; other texts with ""
}

// Option returns the key that people use for the field: a reference is called by what it refers to, "cloud" instead of
// "cloud_id".
func (f Field) Option() string {
	if f.Type == Reference {
		return strings.TrimSuffix(f.Key, "_id")
	}
	return f.Key
}

// Place reports whether the field is a place of an object: its cloud, region, cell or, for an interface, device.
func (f Field) Place() bool {
	return f.Type == Reference && slices.Contains(placeKeys, f.Key)
}

var placeKeys = []string{"cloud_id", "region_id", "cell_id", "device_id"}

// Variables determines how objects of a kind have variables.
type Variables uint8

// How variables are had.
const (
	None     Variables = iota
	AtCreate           // set at creation, shown by the object, never changed: there is no /variables
	Route              // read and written at /variables
)

// Labels determines how objects of a kind have labels.
type Labels uint8

// How labels are had.
const (
	Unlabelled Labels = iota
	AddLabels         // added at /labels after creation
	MakeLabels        // given by the create too
)

// Kind is one kind of object: a collection of the API.
type Kind struct {
	Name  string // singular, with hyphens: "network-device"
	Path  string // of the collection below /v1, without a slash: "network-devices"
	List  string // the member of a list's body: "network_devices"
	Title string // the member with its name: "name", "username"
	UUID  bool   // its ids are UUIDs, not integers

	Fields []Field // in the order in which people write them

	// Scope is the kinds within which the name is unique, outermost first; the object's own project is around all of
	// them. Several kinds at one level are alternatives: an interface's device is a host or a network device.
	Scope [][]string
	// Rivals are other kinds whose names are unique together with its own (v1 contract §6.2).
	Rivals []string
	// FixedTitle: an object cannot be renamed.
	FixedTitle bool

	Variables Variables
	Labels    Labels
	// Inherits are the keys of the references to objects from which it inherits variables, nearest first; the project
	// comes last (v1 contract §5.2). A parent_id stands for the complete chain of parents.
	Inherits []string
	// Details: its lists support details=true and then include variables.
	Details bool
	// Moves are the keys of the places for a move, with which an object need not be recreated. The outer places follow
	// from them. nil: it cannot be moved.
	Moves []string
	// View: the collection only shows objects of other kinds (devices); it is read-only.
	View bool
}

// Noun returns the singular noun for people: "network device".
func (k *Kind) Noun() string { return Noun(k.Name) }

// Noun returns the singular noun for the name of a kind, even an unknown one: a server may be newer.
func Noun(kind string) string { return strings.ReplaceAll(kind, "-", " ") }

// Ident returns the name as an identifier: "network_device".
func (k *Kind) Ident() string { return strings.ReplaceAll(k.Name, "-", "_") }

// Field returns the field with a key of the API, or nil.
func (k *Kind) Field(key string) *Field {
	if i := slices.IndexFunc(k.Fields, func(f Field) bool { return f.Key == key }); i >= 0 {
		return &k.Fields[i]
	}
	return nil
}

// IsText reports whether a search for text examines the field: all except references and flags.
func (f Field) IsText() bool { return f.Type != Reference && f.Type != Flag }

// ByOption returns the field with the key that people use, or nil.
func (k *Kind) ByOption(option string) *Field {
	if i := slices.IndexFunc(k.Fields, func(f Field) bool { return f.Option() == option }); i >= 0 {
		return &k.Fields[i]
	}
	return nil
}

// Updatable reports whether objects can be changed after their creation.
func (k *Kind) Updatable() bool {
	return !k.View && (!k.FixedTitle || slices.ContainsFunc(k.Fields, func(f Field) bool { return !f.Fixed }))
}

// Container returns the reference to the innermost object within which the name is unique: a host's region, an
// interface's device, a user's project. It is nil if that is only the object's own project.
func (k *Kind) Container() *Field {
	if len(k.Scope) == 0 {
		return nil
	}
	within := k.Scope[len(k.Scope)-1]
	i := slices.IndexFunc(k.Fields, func(f Field) bool { return f.Required && slices.Equal(f.To, within) })
	return &k.Fields[i]
}

// ContentKey returns the key by which the contents of an object refer to it: "region_id" for a region, "device_id" for
// a host.
func (k *Kind) ContentKey() string {
	if k.Labels != Unlabelled {
		return "device_id"
	}
	return k.Ident() + "_id"
}

// Protects reports whether objects can be protected from deletion (not in v1).
func (k *Kind) Protects() bool { return k.Variables != None && !k.View }

// InSets reports whether objects can belong to a named set (not in v1).
func (k *Kind) InSets() bool { return k.Protects() && k != Project }

// Contents returns the kinds of an object's contents, which are deleted with it (v1 contract §6.3).
func (k *Kind) Contents() (held []*Kind) {
	if k.View {
		return nil
	}
	for _, other := range kinds {
		f := other.Field(k.ContentKey())
		if k == Project && other != Project && !other.View || f != nil && !other.View && (f.Place() || f.Required) && slices.Contains(f.To, k.Name) {
			held = append(held, other)
		}
	}
	return held
}

// All returns every kind, containers before what they contain, views last.
func All() []*Kind { return slices.Clone(kinds) }

// ByName returns the kind with a name such as "network-device", or nil.
func ByName(name string) *Kind {
	if i := slices.IndexFunc(kinds, func(k *Kind) bool { return k.Name == name }); i >= 0 {
		return kinds[i]
	}
	return nil
}

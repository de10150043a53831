package schema

import (
	"slices"
	"strings"
)

// MaxText is how many characters a [Text] has at most (v1 contract §2.1.4).
const MaxText = 255

// MaxLongText is how many bytes a [LongText] has at most: what a TEXT of MySQL holds, where the original keeps it.
const MaxLongText = 65535

// Type says what a field's values are. All but Integer, Flag and Reference
// are JSON strings.
type Type uint8

// The types.
const (
	Text      Type = iota // up to MaxText characters; "" and null are the same
	LongText              // up to MaxLongText bytes
	Address               // an IPv4 or IPv6 address without a zone; any spelling is the same one
	Prefix                // a range of addresses, such as 10.20.0.0/24
	Integer               // a signed number of 32 bits
	Flag                  // true or false
	Reference             // the id of another object: an integer, a UUID for projects
)

// Field is one member of an object beside its id, name, times, labels and
// variables.
type Field struct {
	Key      string   // in the API's JSON: "ip_address", "cloud_id"
	Type     Type     //
	To       []string // names of the kinds that a Reference may name
	Required bool     // to create an object
	Fixed    bool     // never changes once the object is there (v1 contract §2.4)
	Nullable bool     // an update takes it away by null; other texts by ""
}

// Option returns the key by which people name the field: references go by the
// name of what they name, "cloud" instead of "cloud_id".
func (f Field) Option() string {
	if f.Type == Reference {
		return strings.TrimSuffix(f.Key, "_id")
	}
	return f.Key
}

// Place reports whether the field says where an object stands: its cloud,
// region, cell or, of an interface, device.
func (f Field) Place() bool {
	return f.Type == Reference && slices.Contains(placeKeys, f.Key)
}

var placeKeys = []string{"cloud_id", "region_id", "cell_id", "device_id"}

// Variables says how objects of a kind have variables.
type Variables uint8

// How variables are had.
const (
	None     Variables = iota
	AtCreate           // given by the create, shown by the object, never changed: there is no /variables
	Route              // read and written at /variables
)

// Labels says how objects of a kind have labels.
type Labels uint8

// How labels are had.
const (
	Unlabelled Labels = iota
	AddLabels         // added at /labels once the object is there
	MakeLabels        // given by the create too
)

// Kind is one kind of object: a collection of the API.
type Kind struct {
	Name  string // one of them, with hyphens: "network-device"
	Path  string // of the collection below /v1, without a slash: "network-devices"
	List  string // the member of a list's body: "network_devices"
	Title string // the member that is its name: "name", "username"
	UUID  bool   // its ids are UUIDs, not integers

	Fields []Field // in the order in which people write them

	// Scope names the kinds in which the name is unique, outermost first; the
	// object's own project is around them all. Several kinds at one level
	// stand side by side: an interface's device is a host or a network device.
	Scope [][]string
	// Rivals are other kinds whose names are unique together with its own
	// (v1 contract §6.2).
	Rivals []string
	// FixedTitle: an object is never renamed.
	FixedTitle bool

	Variables Variables
	Labels    Labels
	// Inherits are the keys of the references whose objects' variables it has
	// too, nearest first; the project's come last (v1 contract §5.2).
	// A parent_id stands for the whole chain of parents.
	Inherits []string
	// Details: its lists take details=true and then carry variables.
	Details bool
	// Moves are the keys of the places that a move takes: to stand elsewhere, an
	// object need not be created again. The places around them follow. nil: it stays.
	Moves []string
	// View: the collection only shows objects of other kinds (devices); it
	// cannot be written to.
	View bool
}

// Noun returns one object for people: "network device".
func (k *Kind) Noun() string { return Noun(k.Name) }

// Noun returns one object of the kind with a name, also of one that is not known here: a server may be newer.
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

// IsText reports whether a search for text looks at the field: at all but references and flags.
func (f Field) IsText() bool { return f.Type != Reference && f.Type != Flag }

// ByOption returns the field that people name by option, or nil.
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

// Container returns the reference to the innermost object that the name is unique in: of a host its region, of an
// interface its device, of a user its project. It is nil where nothing but the object's own project is around it.
func (k *Kind) Container() *Field {
	if len(k.Scope) == 0 {
		return nil
	}
	within := k.Scope[len(k.Scope)-1]
	i := slices.IndexFunc(k.Fields, func(f Field) bool { return f.Required && slices.Equal(f.To, within) })
	return &k.Fields[i]
}

// ContentKey returns the key by which what the object holds refers to it:
// "region_id" for a region, "device_id" for a host.
func (k *Kind) ContentKey() string {
	if k.Labels != Unlabelled {
		return "device_id"
	}
	return k.Ident() + "_id"
}

// Protects reports whether objects can be protected from being deleted (beside v1).
func (k *Kind) Protects() bool { return k.Variables != None && !k.View }

// InSets reports whether objects can belong to a named set (beside v1).
func (k *Kind) InSets() bool { return k.Protects() && k != Project }

// Contents returns the kinds of what stands within an object, which a delete
// takes along (v1 contract §6.3).
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

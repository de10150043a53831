package craton_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/craton-fleet/craton/craton"
	"github.com/craton-fleet/craton/internal/schema"
)

// structs are what the client has for one kind.
type structs struct{ object, create, update, list any }

var byKind = map[*schema.Kind]structs{
	schema.Project:          {craton.Project{}, craton.ProjectCreate{}, nil, craton.ProjectListOptions{}},
	schema.User:             {craton.User{}, craton.UserCreate{}, nil, craton.UserListOptions{}},
	schema.Cloud:            {craton.Cloud{}, craton.CloudCreate{}, craton.CloudUpdate{}, craton.CloudListOptions{}},
	schema.Region:           {craton.Region{}, craton.RegionCreate{}, craton.RegionUpdate{}, craton.RegionListOptions{}},
	schema.Cell:             {craton.Cell{}, craton.CellCreate{}, craton.CellUpdate{}, craton.CellListOptions{}},
	schema.Host:             {craton.Host{}, craton.HostCreate{}, craton.HostUpdate{}, craton.HostListOptions{}},
	schema.NetworkDevice:    {craton.NetworkDevice{}, craton.NetworkDeviceCreate{}, craton.NetworkDeviceUpdate{}, craton.NetworkDeviceListOptions{}},
	schema.Network:          {craton.Network{}, craton.NetworkCreate{}, craton.NetworkUpdate{}, craton.NetworkListOptions{}},
	schema.NetworkInterface: {craton.NetworkInterface{}, craton.NetworkInterfaceCreate{}, craton.NetworkInterfaceUpdate{}, craton.NetworkInterfaceListOptions{}},
	schema.Device:           {craton.AnyDevice{}, nil, nil, craton.DeviceListOptions{}},
}

// exceptions are types that differ from what a field of their type has elsewhere.
var exceptions = map[string]string{
	"network-interface object speed": "Speed",  // reads come as a string, writes as an integer (Q4)
	"network-interface create speed": "Speed",  //
	"network-interface update speed": "*Speed", //
	"user create is_admin":           "bool",   // false unless said: nil would be the same
	"user object api_key":            "APIKey", // only in the answer to a create
	"user create role":               "Role",   // is_admin is what v1 has
	"device object model_name":       "string", // a device of either kind has the fields of both
	"device object os_version":       "string", //
	"device object vlans":            "string", //
	"device object -":                "Kind",   // told by which list the device is in
}

// TestStructsHaveTheFields compares the structs of every kind with the schema, in both directions: a field that the
// client lacks, one that only the client has, and one of another type.
func TestStructsHaveTheFields(t *testing.T) {
	t.Parallel()
	for _, k := range schema.All() {
		s, ok := byKind[k]
		if !ok {
			t.Errorf("%s: the client has no structs", k.Name)
			continue
		}
		object, create, update := map[string]string{"created_at": "Timestamp", "updated_at": "Timestamp"}, map[string]string{}, map[string]string{}
		for _, m := range []map[string]string{object, create} {
			m[k.Title] = "string"
			if k.Variables != schema.None {
				m["variables"] = "Variables"
			}
		}
		if !k.FixedTitle {
			update[k.Title] = "*string"
		}
		object["id"] = idType(k)
		if k != schema.Project {
			object["project_id"] = "string"
		}
		if k.Labels != schema.Unlabelled {
			object["labels"], object["links"] = "[]string", "[]Link"
		}
		if k.Labels == schema.MakeLabels {
			create["labels"] = "[]string"
		}
		for _, f := range k.Fields {
			typ := goType(f)
			object[f.Key], create[f.Key] = typ, typ
			if f.Type == schema.Flag { // nil is what the server takes for it, which may be true
				create[f.Key] = "*" + typ
			}
			if !f.Fixed {
				update[f.Key] = "*" + typ
			}
			if f.Nullable {
				update[f.Key] = "*Ref"
			}
		}
		compare(t, k, "object", object, s.object)
		if !k.View {
			compare(t, k, "create", create, s.create)
		}
		if k.Updatable() {
			compare(t, k, "update", update, s.update)
		} else if s.update != nil {
			t.Errorf("%s: it cannot be changed, and yet there is %T", k.Name, s.update)
		}
	}
}

// TestListOptionsNameFields: a filter is a field of the kind, in a type that can tell whether it is set.
func TestListOptionsNameFields(t *testing.T) {
	t.Parallel()
	beside := map[string]string{ // what lists take beside fields
		"limit": "int", "marker": "string", "sort_keys": "[]string", "sort_dir": "string",
		"id": "int", "name": "string", "vars": "string", "label": "string", "details": "bool", "resolved-values": "*bool", "descendants": "bool", "where": "string",
	}
	for k, s := range byKind {
		for name, got := range members(reflect.TypeOf(s.list), "query") {
			want, ok := beside[name]
			if f := k.Field(name); f != nil {
				if want, ok = goType(*f), true; f.Type == schema.Flag {
					want = "*" + want
				}
			}
			if !ok || got != want {
				t.Errorf("%s: the filter %s is of type %s, want %q", k.Name, name, got, want)
			}
			if name == "details" && !k.Details || name == "resolved-values" && k.Inherits == nil || name == "label" && k.Labels == schema.Unlabelled {
				t.Errorf("%s: the schema does not know of %s", k.Name, name)
			}
		}
	}
}

func compare(t *testing.T, k *schema.Kind, what string, want map[string]string, of any) {
	t.Helper()
	if of == nil {
		t.Errorf("%s: the client has no struct for %s", k.Name, what)
		return
	}
	for key, typ := range exceptions {
		if name, isMine := strings.CutPrefix(key, k.Name+" "+what+" "); isMine {
			want[name] = typ
		}
	}
	if d := cmp.Diff(want, members(reflect.TypeOf(of), "json")); d != "" {
		t.Errorf("%T (-the schema says, +the struct has):\n%s", of, d)
	}
}

// members returns the types of a struct's members by the names in their tags.
func members(of reflect.Type, tag string) map[string]string {
	types := map[string]string{}
	for _, f := range reflect.VisibleFields(of) {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" {
			types[name] = strings.ReplaceAll(f.Type.String(), "craton.", "")
		}
	}
	return types
}

// goType returns the type of a field's values.
func goType(f schema.Field) string {
	switch f.Type {
	case schema.Integer:
		return "int"
	case schema.Flag:
		return "bool"
	case schema.Reference:
		return idType(schema.ByName(f.To[0]))
	default:
		return "string"
	}
}

func idType(k *schema.Kind) string {
	if k.UUID {
		return "string"
	}
	return "int"
}

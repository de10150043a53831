// Package where parses and matches the terms with which users select objects:
//
//	label=web region=dfw name=web-*
//
// They are the parameter where of the API's lists and of bulk edits, and the option --where of the command line.
// [Parse] reads terms for one kind of object, [Where.String] writes them in their one canonical form, and [Where.Match]
// reports whether an object matches. A server evaluates them in its database with the same meaning; a test compares the
// two.
//
// # Terms
//
// Terms are separated by blanks, and an object must match all of them. A term is a name, = or !=, and a value, or a
// name alone. A ! before the name, or != instead of =, negates the term.
//
//	name=web-*             a pattern: * is any text, ? one character
//	name=web-01,db-*       one of several
//	ip=10.20.0.0/16        an address, or a range of addresses
//	type=server            the device type
//	label=web              one of its labels
//	region=dfw             its region; also cloud and cell. If a name is not unique, with the places around it: region=east/dfw
//	parent=blade-*         its parent; also dfw/blade-1, east/dfw/blade-1
//	active=true            or false
//	id=12,13               ids; also region_id=3, cloud_id, cell_id, parent_id
//	note=*broken*          a text; also the other fields of a kind: model_name, os_version, cidr
//	parent                 it has a parent; also label, cell, note
//	ntp                    it has a variable of that name, even with the value null
//	ntp=10.0.0.1           the variable has that value
//	disks.size=100         a value within it; of a list, any element, or one: disks.0.size
//	own:ntp=10.0.0.1       only its own variables; without own:, inherited ones too
//	vars.name=x            a variable with the name of a field
//
// A text field that an object does not have is the empty text: note="" matches objects without a note.
//
// # Values
//
// Characters in quotes have no special meaning, except for the escapes of JSON: name="web 01", note="*", region="a/b".
// The value of a variable is read as `craton host-vars-set` reads it: 10 is a number and yes is true, and both in
// quotes are texts; [1, 2] and {"a": 1} are JSON. It is compared as in the API's filter vars: types matter, 1 and 1.0
// are equal, a list matches by one element, and an object by some of its members. A pattern matches texts.
package where

// Package where is the language by which people say which objects they mean:
//
//	label=web region=dfw name=web-*
//
// It is the where= of the API's lists and of bulk edits, and the --where of the command line. [Parse] reads it for one
// kind of object, [Where.String] writes it in its one printed form, and [Where.Match] decides about an object. A server
// decides in its database, with the same meaning; a test holds the two together.
//
// # Terms
//
// Blanks separate terms, and an object must satisfy all of them. A term is a name, = or !=, and a value; it is also a
// name alone. A ! in front, or != for =, turns its meaning round.
//
//	name=web-*             a pattern: * is any text, ? one character
//	name=web-01,db-*       one of several
//	ip=10.20.0.0/16        an address, or a range of them
//	type=server            the type of a device
//	label=web              one of its labels
//	region=dfw             where it is: also cloud and cell, with what is around it where a name is not unique: region=east/dfw
//	parent=blade-*         the device that it is in; also dfw/blade-1, east/dfw/blade-1
//	active=true            or false
//	id=12,13               ids; also region_id=3, cloud_id, cell_id, parent_id
//	note=*broken*          a text; the other fields of a kind as well: model_name, os_version, cidr
//	parent                 it has one; also label, cell, note
//	ntp                    it has a variable of that name, be it null
//	ntp=10.0.0.1           the variable has that value
//	disks.size=100         what is within it; of a list, any element or one: disks.0.size
//	own:ntp=10.0.0.1       only its own variables; without, those that it inherits count as well
//	vars.name=x            a variable that is called as a field is
//
// Text of the field that an object lacks is the empty text: note="" finds what has no note.
//
// # Values
//
// Quotes make characters stand for themselves, with the escapes of JSON: name="web 01", note="*", region="a/b". The
// value of a variable is read as `craton host-vars-set` reads it: 10 is a number and yes is true, and both in quotes
// are texts; [1, 2] and {"a": 1} are JSON. It is compared as the filter vars of the API does it: types count, 1 and 1.0
// are equal, a list matches by an element of it, and an object by some of its members. A pattern matches texts.
package where

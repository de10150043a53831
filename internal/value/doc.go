// Package value defines which texts and numbers Craton accepts, from the API, fleet files, modules, the command line
// and the responses of other servers. It does no I/O.
//
// # Texts
//
// [CheckName] checks names: of objects, labels, device types and keys of variables. A name has visible characters, on
// one line, so that two names that look the same are the same. [CheckWord] is like CheckName but accepts the empty
// text. [CheckText] accepts texts of any length and any number of lines: notes, and strings in variables.
//
// # Numbers
//
// [CheckNumber] accepts JSON numbers within the range of an IEEE double. A number beyond that range, such as 1e400,
// would become Infinity in Ansible and most programs, and one below it, such as 1e-400, zero. Integers are exact in
// Ansible, up to [MaxDigits] digits. A fraction with more digits than a double has, such as 0.1, is accepted, and read
// as the nearest double.
//
// # Errors
//
// An error of this package is a predicate that follows the name of its subject: "the name" + " is empty". [CheckJSON]
// returns a [Fault], which states the position within a value.
//
// # Comparison and encoding
//
// Values are compared by their meaning: JSON with [EqualJSON], UUIDs with [SameUUID], addresses with [EqualAddress] and
// [EqualPrefix]. [ParseUUID] and [ParseAddress] return the spelling that the API shows. [Encode] and [Decode] are
// encoding/json for values that must not be altered. Package jsontext preserves the text of JSON, and package python
// has Python's representation of it. [DecodeEscape], [Half] and [AppendCharacter] handle halves of surrogate pairs.
//
// [Escape] makes text from others safe to print on a terminal.
package value

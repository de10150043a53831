// Package value knows which texts and numbers Craton takes, for every door that they come in by: the API, the fleet
// file, modules, the command line, and what other servers answer. It does no I/O.
//
// A name is [CheckName]'s: of objects, labels, device types and keys of variables. It has something to show, on one
// line, so that two names that look alike are alike. A [CheckWord] is the same and may be empty. A [CheckText] may be
// of any length and any number of lines: notes, and what variables hold.
//
// A number is a JSON number that an IEEE double holds ([CheckNumber]). One beyond all doubles, such as 1e400, would be
// Infinity to Ansible and to most programs, and one below them, such as 1e-400, zero. Integers are exact in Ansible, up
// to [MaxDigits]. A fraction with more digits than a double has is read as the double next to it everywhere, as
// 0.1 is, and passes too.
//
// Errors of this package are predicates that follow what they are about: "the name" + " is empty". [CheckJSON] says
// where in a value something is, as a [Fault].
//
// Values are compared as what they mean: JSON by [EqualJSON], UUIDs by [SameUUID], addresses by [EqualAddress] and
// [EqualPrefix]. [ParseUUID] and [ParseAddress] give the spelling that the API shows. [Encode] and [Decode] are
// encoding/json for values that must travel as they are; package jsontext below knows their text, and package python
// what Python makes of it. [DecodeEscape], [Half] and [AppendCharacter] know half a surrogate pair.
//
// [Escape] makes what was written by others safe to show on a terminal.
package value

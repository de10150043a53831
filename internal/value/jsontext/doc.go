// Package jsontext reads and writes JSON the way the Craton v1 API needs it.
//
// The standard library's decoder forgets three things that the v1 contract
// depends on: the order of an object's members (validation messages quote a
// document in its own order), the text of a number (1.0, 1e400 and integers
// of any size must come back as they were sent) and lone surrogates in
// strings. [Parse] keeps all three in a small tree.
//
// What the server stores is canonical text: compact, nested keys sorted by
// code point, everything outside printable ASCII escaped as \uXXXX
// ([Value.AppendCompact]). Rendering a response is then a copy that only
// inserts line breaks ([AppendIndented]); no tree is built on the read path.
//
// [Scanner] reads large texts of which little is kept. Strings are written by
// [AppendString], all in ASCII, and by [AppendUTF8].
package jsontext

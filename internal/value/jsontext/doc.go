// Package jsontext reads and writes JSON as the Craton v1 API requires.
//
// The standard library's decoder loses three things that the v1 contract depends on: the order of an object's members
// (validation messages quote a document in its own order), the text of a number (1.0, 1e400 and integers of any size
// must be returned as they were sent) and lone surrogates in strings. [Parse] preserves all three in a small tree.
//
// The server stores canonical text: compact, nested keys sorted by code point, everything outside printable ASCII
// escaped as \uXXXX ([Value.AppendCompact]). A response is then a copy with line breaks inserted ([AppendIndented]),
// and no tree is built for reads.
//
// [Scanner] reads large texts of which only a small part is needed. [AppendString] writes strings in ASCII, and
// [AppendUTF8] in UTF-8.
package jsontext

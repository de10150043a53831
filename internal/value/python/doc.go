// Package python writes JSON values as Python programs show them, byte for byte: what users of the original tools know,
// compare with and grep for is that text.
//
// [Str] is str(value), [Repr] is repr(value), [JSON] json.dumps(value) and [Dumps] json.dumps(value, indent=4,
// sort_keys=True), of values that were decoded and of those that stand in a JSON text. [Short] is for messages. Where
// the text is for people, numbers keep theirs where Python's own would lose something. [Fill] is textwrap.fill.
package python

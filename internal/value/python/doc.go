// Package python writes JSON values as Python programs print them, byte for byte, because users of the original tools
// compare and grep for that text.
//
// [Str] is str(value), [Repr] is repr(value), [JSON] is json.dumps(value) and [Dumps] is json.dumps(value, indent=4,
// sort_keys=True), for decoded values and for JSON text. [Short] is for messages. In text for people, numbers keep
// their digits where Python would lose precision. [Fill] is textwrap.fill.
package python

// Package python writes JSON values as Python programs show them, byte for byte: what users of the original tools know,
// compare with and grep for is that text.
//
// [Str] is str(value) and [Dumps] json.dumps(value, indent=4, sort_keys=True), of a value that stands in a JSON text.
// Numbers keep their text where Python's own would lose something. [Fill] is textwrap.fill.
package python

package web

import "testing"

// TestSentence: what is said of a mistake begins large, ends, and is no longer than a paragraph.
func TestSentence(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"there is no host 7": "There is no host 7.", `"soon" is not a time`: `"soon" is not a time.`, "It is so.": "It is so.", "did you mean \"ntp\"?": "Did you mean \"ntp\"?", "": "", "éa\u202eb": `Éa\u202eb.`,
	} {
		if got := sentence(said); got != want {
			t.Errorf("%q: %q", said, got)
		}
	}
	long := make([]byte, 40_000)
	for i := range long {
		long[i] = 'a'
	}
	if got := len(sentence(string(long))); got > 2*maxErrorText {
		t.Errorf("%d bytes", got)
	}
}

// TestSpaced: a value on one line has blanks where people write them, and none more in its texts.
func TestSpaced(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"a":1,"b":[1,2],"c":{}}`: `{"a": 1, "b": [1, 2], "c": {}}`, `["a,b:c","\",:","\\",1]`: `["a,b:c", "\",:", "\\", 1]`, `{"a": 1, "b": 2}`: `{"a": 1, "b": 2}`,
		`"a,b:c"`: `"a,b:c"`, `12`: `12`, ``: ``, `[]`: `[]`,
	} {
		if got := spaced(raw); got != want {
			t.Errorf("%s: %s\nwant %s", raw, got, want)
		}
	}
}

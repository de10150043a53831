package value_test

import (
	"testing"

	"github.com/craton-fleet/craton/internal/value"
)

func TestDecodeEscape(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		r rune
		n int
	}{
		`\u0041x`: {'A', 6}, `\u00e9`: {'é', 6}, `\uD83D\uDE00`: {'😀', 12}, `\ud83d\ude00x`: {'😀', 12},
		`\ud83d`: {0xd83d, 6}, `\ude00\ud83d`: {0xde00, 6}, `\ud83dx`: {0xd83d, 6}, `\ud83d\u0041`: {0xd83d, 6}, `\ud83d\ude0`: {0xd83d, 6},
		`\n`: {}, `\u00g0`: {}, `\u00`: {}, ``: {}, `u0041`: {}, `\U0041`: {},
	} {
		if r, n := value.DecodeEscape(text); r != want.r || n != want.n {
			t.Errorf("%s: %U, %d, want %U, %d", text, r, n, want.r, want.n)
		}
		r, n := value.DecodeEscape([]byte(text))
		if r != want.r || n != want.n {
			t.Errorf("bytes of %s: %U, %d", text, r, n)
		}
		written := value.AppendCharacter(nil, r)
		half, is := value.SurrogateHalf(written)
		if is != (r >= 0xd800 && r < 0xe000) || is && (half != r || len(written) != 3) || !is && string(written) != string(r) {
			t.Errorf("%s: %q, %U, %v", text, written, half, is)
		}
	}
}

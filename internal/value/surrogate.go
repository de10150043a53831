package value

import (
	"unicode/utf16"
	"unicode/utf8"
)

// JSON written by Python may contain escapes of unpaired surrogates, which are not characters and which UTF-8 cannot
// represent. If one must be kept, strings contain the three bytes that it would have (WTF-8).

// DecodeEscape decodes the \uXXXX with which s begins, or the two of a surrogate pair, and returns their length: 0 if
// there is none. An unpaired surrogate is returned as it is.
func DecodeEscape[T string | []byte](s T) (rune, int) {
	r, ok := hex4(s)
	switch {
	case !ok:
		return 0, 0
	case utf16.IsSurrogate(r):
		if low, ok := hex4(s[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 12
			}
		}
	}
	return r, 6
}

// hex4 reads \uXXXX.
func hex4[T string | []byte](s T) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for i := 2; i < 6; i++ {
		c := s[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// SurrogateHalf decodes the three bytes of an unpaired surrogate with which s begins.
func SurrogateHalf[T string | []byte](s T) (rune, bool) {
	if len(s) < 3 || s[0] != 0xed || s[1] < 0xa0 || s[1] > 0xbf || s[2] < 0x80 || s[2] > 0xbf {
		return 0, false
	}
	return rune(s[0]&0x0f)<<12 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
}

// AppendCharacter appends a character as UTF-8, or an unpaired surrogate as three bytes.
func AppendCharacter(dst []byte, r rune) []byte {
	if utf16.IsSurrogate(r) {
		return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(dst, r)
}

// escapeLen returns the length of the escape with which s begins, 12 for a surrogate pair, 0 for an unpaired surrogate.
func escapeLen(s string) int {
	switch r, n := DecodeEscape(s); {
	case n == 0:
		return 2
	case utf16.IsSurrogate(r):
		return 0
	default:
		return n
	}
}

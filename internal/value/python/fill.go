package python

import (
	"slices"
	"strings"
	"unicode"
)

// Fill returns textwrap.fill(text, width) of Python 3.6: tabs and line breaks become spaces, lines end at spaces and
// after the hyphens of words, and longer words are cut.
func Fill(text string, width int) string { return strings.Join(Wrap(text, width, nil), "\n") }

// Wrap returns textwrap.wrap. columns says how wide a character is; nil, as in Python, means 1 each.
func Wrap(text string, width int, columns func(rune) int) []string {
	w := wrapper{columns: columns}
	chunks := split(flatten(text))
	slices.Reverse(chunks)
	var lines []string
	for len(chunks) > 0 {
		if blank(last(chunks)) && len(lines) > 0 {
			chunks = chunks[:len(chunks)-1]
		}
		var line [][]rune
		used := 0
		for len(chunks) > 0 {
			n := w.len(last(chunks))
			if used+n > width {
				break
			}
			line = append(line, last(chunks))
			chunks = chunks[:len(chunks)-1]
			used += n
		}
		if len(chunks) > 0 && w.len(last(chunks)) > width {
			head, rest := w.cut(last(chunks), width-used, len(line) == 0)
			line = append(line, head)
			chunks[len(chunks)-1] = rest
		}
		if len(line) > 0 && blank(last(line)) {
			line = line[:len(line)-1]
		}
		if len(line) > 0 {
			lines = append(lines, string(slices.Concat(line...)))
		}
	}
	return lines
}

func last[T any](s []T) T { return s[len(s)-1] }

type wrapper struct{ columns func(rune) int }

func (w wrapper) len(chunk []rune) int {
	if w.columns == nil {
		return len(chunk)
	}
	n := 0
	for _, r := range chunk {
		n += w.columns(r)
	}
	return n
}

// cut takes what fits from the start of a chunk, at least one character if some must go.
func (w wrapper) cut(chunk []rune, width int, some bool) (head, rest []rune) {
	n := 0
	for i := range chunk {
		n += w.len(chunk[i : i+1])
		if n > width && (i > 0 || !some) {
			return chunk[:i], chunk[i:]
		}
	}
	return chunk, nil
}

// flatten expands tabs to columns of 8 and makes all of ASCII's white space spaces.
func flatten(text string) []rune {
	var out []rune
	column := 0
	for _, r := range text {
		switch r {
		case '\t':
			for n := 8 - column%8; n > 0; n-- {
				out = append(out, ' ')
				column++
			}
			continue
		case '\n', '\r':
			column = -1
			r = ' '
		case '\v', '\f':
			r = ' '
		}
		out = append(out, r)
		column++
	}
	return out
}

// blank reports whether a chunk is only white space.
func blank(chunk []rune) bool {
	return !slices.ContainsFunc(chunk, func(r rune) bool { return !Space(r) })
}

// split cuts a text into the chunks that textwrap does not break: runs of spaces, words, the parts of hyphenated words,
// and dashes between words.
func split(t []rune) [][]rune {
	var chunks [][]rune
	for i := 0; i < len(t); {
		j := i
		switch {
		case t[i] == ' ':
			for j < len(t) && t[j] == ' ' {
				j++
			}
		case i > 0 && punctuated(t[i-1]) && dashes(t, i) > i:
			j = dashes(t, i)
		default:
			j = wordEnd(t, i)
		}
		chunks = append(chunks, t[i:j])
		i = j
	}
	return chunks
}

// dashes returns the end of an em-dash, two or more hyphens before a word, that begins at i; else i.
func dashes(t []rune, i int) int {
	j := i
	for j < len(t) && t[j] == '-' {
		j++
	}
	if j-i >= 2 && j < len(t) && word(t[j]) {
		return j
	}
	return i
}

// wordEnd returns the end of the shortest word that begins at i: before a space or an em-dash, or behind a hyphen
// between letters.
func wordEnd(t []rune, i int) int {
	for j := i + 1; j < len(t); j++ {
		switch {
		case t[j] == '-' && hyphen(t, j):
			return j + 1
		case t[j] == ' ', punctuated(t[j-1]) && dashes(t, j) > j:
			return j
		}
	}
	return len(t)
}

// hyphen reports whether a line may end behind the hyphen at j: two letters before it, or a letter, a hyphen and a
// letter; behind it two letters, perhaps with a hyphen between them.
func hyphen(t []rune, j int) bool {
	before := j >= 2 && letter(t[j-1]) && letter(t[j-2]) ||
		j >= 3 && punctuated(t[j-1]) && t[j-2] == '-' && letter(t[j-3])
	k := j + 1
	if !before || k >= len(t) || !letter(t[k]) {
		return false
	}
	if k++; k < len(t) && t[k] == '-' {
		k++
	}
	return k < len(t) && letter(t[k])
}

// word reports whether \w of Python's regular expressions matches.
func word(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }

func letter(r rune) bool { return word(r) && !unicode.IsDigit(r) }

func punctuated(r rune) bool { return word(r) || strings.ContainsRune(`!"'&.,?`, r) }

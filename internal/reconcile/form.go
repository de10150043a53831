package reconcile

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/value"
)

// lookalikeError is the error for a new label or key of a variable that looks like another one: see value.CheckForm.
type lookalikeError struct {
	reason   Reason
	what, do string
	of       string // the text: "label é", "variable é"
}

// Error says which text it looks like, and what to do.
func (l *lookalikeError) Error() string { return advice.Join(l.what, l.do) }

// checkForm refuses a new label or key of a variable that is not in Unicode's composed form, or that looks like another
// one of the object. Existing ones are kept.
func (st *Step) checkForm() *lookalikeError {
	labels, keys := st.AddLabels, st.Set
	if st.Create {
		labels, keys = st.After.Labels(), st.After.Variables()
	}
	if odd := beyondASCII(slices.Values(labels)); odd != nil {
		if l := formOf("label", odd, st.Before.Labels(), st.After.Labels()); l != nil {
			return l
		}
	}
	if odd := beyondASCII(maps.Keys(keys)); odd != nil {
		if l := formOf("variable", odd, st.Before.Variables().Keys(), st.After.Variables().Keys()); l != nil {
			return l
		}
	}
	return nil
}

// beyondASCII returns the texts that are not ASCII, sorted; mostly nil.
func beyondASCII(texts iter.Seq[string]) (odd []string) {
	for text := range texts {
		if strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
			odd = append(odd, text)
		}
	}
	slices.Sort(odd)
	return odd
}

// formOf checks the form of texts of one kind; before are the existing ones, and all are those after the write.
func formOf(kind string, written, before, all []string) *lookalikeError {
	for _, text := range written {
		for _, other := range all {
			if other != text && value.Composed(other) == value.Composed(text) && !slices.Contains(before, text) {
				return &lookalikeError{ReasonLookalike, fmt.Sprintf("the %s %s looks the same as the %[1]s %[3]s in another Unicode form", kind, value.CodePoints(text), value.CodePoints(other)), "keep one of them", kind + " " + text}
			}
		}
		if err := value.CheckForm(text); err != nil {
			what, do := advice.Split(err)
			return &lookalikeError{ReasonInvalid, "the " + kind + " " + what, do, kind + " " + text}
		}
	}
	return nil
}

package when

import (
	"fmt"
	"strings"
	"time"
)

// ParseFuture parses a time in the future: a duration from now, such as 90d, 12h or 1w, or any form that Parse accepts.
// In durations, days and weeks are calendar days and weeks.
func ParseFuture(text string, now time.Time) (t time.Time, err error) {
	word := strings.TrimSpace(text)
	if m := ago().FindStringSubmatch(word); m != nil && word != "" && word[0] <= '9' && !strings.Contains(strings.ToLower(word), "ago") {
		t = span(now, m[1:], 1)
	} else if t, err = Parse(text, now); err != nil {
		return t, fmt.Errorf("%w, or a duration from now, such as 90d", err)
	}
	switch {
	case !t.After(now):
		return t, fmt.Errorf("%q is in the past: give a time in the future", text)
	case t.Year() > 9999:
		return t, fmt.Errorf("%q is beyond the year 9999", text)
	}
	return t, nil
}

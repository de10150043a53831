package when

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/value"
)

// At is a state of a fleet that a change log knows. The zero At is the present.
type At struct {
	Revision string    // the state behind a revision ("12") or a cursor ("12-0b5e1f2a3c4d5e6f", which no other database has)
	Time     time.Time // the state at a moment
}

var revision = value.LazyPattern(`^[0-9]{1,18}((\.[0-9]+)?-[0-9a-f]{8,64}~?)?$`)

// ParseAt reads a state as people type it: a revision ("12"), a cursor ("12-0b5e1f2a3c4d5e6f"), or what Parse takes.
// "now" is the present.
func ParseAt(text string, now time.Time) (At, error) {
	if revision().MatchString(text) {
		return At{Revision: text}, nil
	}
	t, err := Parse(text, now)
	if _, ok := errors.AsType[unknownTimeError](err); ok {
		err = fmt.Errorf("%w, or a revision such as 12", err)
	}
	if err != nil || t.Equal(now) {
		return At{}, err
	}
	return At{Time: t}, nil
}

// CheckGiven refuses an empty time of an option: whoever gives one, such as from a variable of a shell that is not set,
// does not mean the present.
func CheckGiven(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty: give a time, or omit the option")
	}
	return nil
}

// String returns what the API takes for the state; "" for the present.
func (a At) String() string {
	if a.Time.IsZero() {
		return a.Revision
	}
	return a.Time.UTC().Format(time.RFC3339Nano)
}

// Words names the state to people: "revision 12", "2026-11-20 09:30:00 CET", "now".
func (a At) Words() string {
	switch {
	case !a.Time.IsZero():
		return Format(a.Time)
	case a.Revision != "":
		number, _, _ := strings.Cut(a.Revision, "-")
		return "revision " + number
	}
	return "now"
}

package when

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/value"
)

// layout is the format in which times are shown.
const layout = "2006-01-02 15:04:05 MST"

// Format formats a time for people, in its own zone: 2026-11-20 09:30:00 CET. Parse can read it.
func Format(t time.Time) string { return t.Format(layout) }

var (
	ago   = value.LazyPattern(`(?i)^(?:([0-9]{1,6})w)?(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?(?: +ago)?$`)
	typed = value.LazyPattern(`(?i)^(today|yesterday|[0-9]{4}-[0-9]{2}-[0-9]{2})(?:(?: +|t)([0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)(?: *([a-z+-].*))?)?$`)
	shown = value.LazyPattern(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}$`)
)

// Parse parses a time in any of the forms that the package comment lists, and returns it in the zone of now.
func Parse(text string, now time.Time) (time.Time, error) {
	word := strings.TrimSpace(text)
	if strings.EqualFold(word, "now") {
		return now, nil
	}
	if m := ago().FindStringSubmatch(word); m != nil && word != "" && word[0] <= '9' {
		return before(now, text, m[1:])
	}
	m := typed().FindStringSubmatch(word)
	if m == nil {
		return time.Time{}, unknownTimeError(text)
	}
	t, err := parse(strings.ToLower(m[1]), m[2], m[3], shown().MatchString(word), now)
	switch {
	case err != nil:
		return t, fmt.Errorf("%q: %w", text, err)
	case !t.After(time.Time{}): // the zero time means no time
		return time.Time{}, fmt.Errorf("%q is before the year 1 in UTC", text)
	}
	return t.In(now.Location()), nil
}

// unknownTimeError is the error for a text that is not in any of the forms.
type unknownTimeError string

func (u unknownTimeError) Error() string {
	return fmt.Sprintf("%q is not a time: write 2h, 3d, 1w (ago), now, today, yesterday, 2026-11-20, 2026-11-20 09:30 and 2026-11-20T09:30:00+01:00", string(u))
}

// parse parses a day, a time of day and a zone; clock and zone may be empty.
func parse(day, clock, zone string, isUTC bool, now time.Time) (t time.Time, err error) {
	in, named := now.Location(), ""
	switch {
	case isUTC:
		in = time.UTC
	case zone != "":
		in, named, err = zoneOf(zone, in)
	case in == time.Local:
		err = localZone()
	}
	if err != nil {
		return t, err
	}
	wall, err := dayOf(day, now.In(in))
	if err != nil || clock == "" {
		return beginning(wall, in), err
	}
	if wall, err = clockOf(wall, clock); err != nil {
		return t, err
	}
	return only(wall, in, named)
}

// before returns now minus the given weeks, days, hours, minutes and seconds.
func before(now time.Time, text string, amounts []string) (time.Time, error) {
	t := span(now, amounts, -1)
	if t.Year() < 1 {
		return time.Time{}, fmt.Errorf("%q reaches back before the year 1", text)
	}
	return t, nil
}

// span returns now plus the given weeks, days, hours, minutes and seconds, or minus them if sign is -1.
func span(now time.Time, amounts []string, sign int) time.Time {
	var n [5]int
	for i, a := range amounts {
		n[i], _ = strconv.Atoi(cmp.Or(a, "0")) // cannot fail: at most six digits
		n[i] *= sign
	}
	return now.AddDate(0, 0, 7*n[0]+n[1]).
		Add(time.Duration(n[2])*time.Hour + time.Duration(n[3])*time.Minute + time.Duration(n[4])*time.Second)
}

// dayOf returns midnight of a day as wall-clock time, represented in UTC.
func dayOf(word string, now time.Time) (time.Time, error) {
	y, m, d := now.Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	switch word {
	case "today":
		return today, nil
	case "yesterday":
		return today.AddDate(0, 0, -1), nil
	}
	day, err := time.Parse(time.DateOnly, word)
	if err != nil {
		return day, fmt.Errorf("there is no day %s", word)
	}
	return day, nil
}

// clockOf returns the wall-clock time on a day; both are represented in UTC.
func clockOf(day time.Time, clock string) (time.Time, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, clock); err == nil {
			return day.Add(t.Sub(t.Truncate(24 * time.Hour))), nil
		}
	}
	return day, fmt.Errorf("there is no time %s", clock)
}

// zoneOf returns the zone that the user typed. A word that may be an abbreviation, such as CET, is returned with the
// zone here, because its meaning depends on the time: only compares them.
func zoneOf(zone string, here *time.Location) (in *time.Location, abbreviation string, err error) {
	abbreviation = strings.ToUpper(zone)
	switch {
	case abbreviation == "Z" || abbreviation == "UTC" || abbreviation == "GMT":
		return time.UTC, "", nil
	case zone[0] == '+' || zone[0] == '-':
		for _, layout := range []string{"-07:00", "-0700", "-07"} {
			if t, err := time.Parse(layout, zone); err == nil {
				_, offset := t.Zone()
				return time.FixedZone("", offset), "", nil
			}
		}
	case strings.Contains(zone, "/"):
		if in, err := time.LoadLocation(zone); err == nil {
			return in, "", nil
		}
	default:
		return here, abbreviation, nil
	}
	return nil, "", fmt.Errorf("the time zone %s is unknown on this machine; give an offset, such as +01:00", zone)
}

// localZone fails if TZ is not the name of a zone, because the standard library then silently uses UTC.
func localZone() error {
	if tz := strings.TrimPrefix(os.Getenv("TZ"), ":"); tz != "" && tz != "UTC" && time.Local.String() == "UTC" {
		return fmt.Errorf("TZ is %q, which is not a time zone on this machine: set it to one, such as Europe/Berlin, or give the time with its zone, such as +01:00", tz)
	}
	return nil
}

// moments returns the times at which the clocks in a zone showed a wall-clock time. Usually there is one; there are two
// after the clocks were set back, and none if they were set forward past it. In the last case, jump is the time at
// which they were set forward.
func moments(wall time.Time, in *time.Location) (at []time.Time, jump time.Time) {
	near := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), in)
	start, end := near.ZoneBounds()
	zones := []time.Time{near}
	if !start.IsZero() {
		zones = []time.Time{start.Add(-1), near}
	}
	if !end.IsZero() {
		zones = append(zones, end)
	}
	for _, zone := range zones {
		_, offset := zone.In(in).Zone()
		t := wall.Add(-time.Duration(offset) * time.Second).In(in)
		if clockAt(t).Equal(wall) {
			at = append(at, t)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	at = slices.CompactFunc(at, time.Time.Equal)
	for _, set := range []time.Time{start, end} {
		if !set.IsZero() && clockAt(set.Add(-1)).Before(wall) && clockAt(set).After(wall) {
			jump = set.In(in)
		}
	}
	return at, jump
}

// clockAt returns the wall-clock time at t in its zone, represented in UTC.
func clockAt(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// beginning returns the time at which a day begins: its first midnight, or the time at which the clocks were set
// forward past midnight.
func beginning(day time.Time, in *time.Location) time.Time {
	at, jump := moments(day, in)
	if len(at) == 0 {
		return jump
	}
	return at[0]
}

// only returns the time at which the clocks in a zone showed a wall-clock time, and fails unless there is exactly one.
// If named is set, it must be the abbreviation of the zone at that time, which also selects one of two times.
func only(wall time.Time, in *time.Location, named string) (time.Time, error) {
	at, jump := moments(wall, in)
	for _, t := range at {
		if name, _ := t.Zone(); name == named {
			return t, nil
		}
	}
	switch {
	case len(at) == 0:
		return time.Time{}, fmt.Errorf("that time did not exist: clocks went from %s to %s", Format(jump.Add(-time.Second)), Format(jump))
	case named != "":
		return time.Time{}, fmt.Errorf("the zone is %s at that time, not %s; for another zone, give its offset, such as +01:00", at[0].Format("MST"), named)
	case len(at) > 1:
		return time.Time{}, fmt.Errorf("that time occurred twice; write %s or %s", Format(at[0]), Format(at[1]))
	}
	return at[0], nil
}

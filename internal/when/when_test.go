package when

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	in, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// TestParse: what people type, in several zones, at 2026-11-29 10:15:30 UTC.
func TestParse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 10, 15, 30, 123456789, time.UTC)
	for _, c := range []struct{ zone, text, want string }{
		{"Europe/Berlin", "now", "2026-11-29T11:15:30.123456789+01:00"},
		{"Europe/Berlin", " NOW ", "2026-11-29T11:15:30.123456789+01:00"},
		{"Europe/Berlin", "90m", "2026-11-29T09:45:30.123456789+01:00"},
		{"Europe/Berlin", "2h", "2026-11-29T09:15:30.123456789+01:00"},
		{"Europe/Berlin", "2h ago", "2026-11-29T09:15:30.123456789+01:00"},
		{"Europe/Berlin", "30s", "2026-11-29T11:15:00.123456789+01:00"},
		{"Europe/Berlin", "3D", "2026-11-26T11:15:30.123456789+01:00"},
		{"Europe/Berlin", "1w", "2026-11-22T11:15:30.123456789+01:00"},
		{"Europe/Berlin", "1w2d12h", "2026-11-19T23:15:30.123456789+01:00"},
		{"Europe/Berlin", "36d", "2026-10-24T11:15:30.123456789+02:00"},  // the same time of the day
		{"Europe/Berlin", "864h", "2026-10-24T12:15:30.123456789+02:00"}, // 36 times 24 hours
		{"Europe/Berlin", "today", "2026-11-29T00:00:00+01:00"},
		{"Europe/Berlin", "Yesterday", "2026-11-28T00:00:00+01:00"},
		{"Europe/Berlin", "yesterday 14:30", "2026-11-28T14:30:00+01:00"},
		{"Europe/Berlin", "today 9:30", "2026-11-29T09:30:00+01:00"},
		{"Europe/Berlin", "2026-07-20", "2026-07-20T00:00:00+02:00"},
		{"Europe/Berlin", "2026-07-20 09:30", "2026-07-20T09:30:00+02:00"},
		{"Europe/Berlin", "2026-07-20T09:30:15", "2026-07-20T09:30:15+02:00"},
		{"Europe/Berlin", "2026-07-20 09:30:15.25", "2026-07-20T09:30:15.25+02:00"},
		{"Europe/Berlin", "2026-07-20T09:30:15.123456", "2026-07-20T11:30:15.123456+02:00"}, // as the API shows it
		{"Europe/Berlin", "2026-07-20 09:30Z", "2026-07-20T11:30:00+02:00"},
		{"Europe/Berlin", "2026-07-20 09:30 utc", "2026-07-20T11:30:00+02:00"},
		{"Europe/Berlin", "2026-07-20 09:30 -03", "2026-07-20T14:30:00+02:00"},
		{"Europe/Berlin", "2026-07-20 09:30 America/Argentina/ComodRivadavia", "2026-07-20T14:30:00+02:00"},
		{"Europe/Berlin", "2026-07-20T09:30:15.123456789-05:30", "2026-07-20T17:00:15.123456789+02:00"},
		{"Europe/Berlin", "2026-10-25 02:30 cest", "2026-10-25T02:30:00+02:00"},
		{"Europe/Berlin", "2026-10-25 02:30 CET", "2026-10-25T02:30:00+01:00"},
		{"Europe/Berlin", "2026-10-25 02:30+01:00", "2026-10-25T02:30:00+01:00"},
		{"Pacific/Auckland", "today", "2026-11-29T00:00:00+13:00"},
		{"Pacific/Kiritimati", "today", "2026-11-30T00:00:00+14:00"},
		{"Pacific/Kiritimati", "today 09:30Z", "2026-11-29T23:30:00+14:00"}, // today is that of the zone
		{"America/Los_Angeles", "yesterday", "2026-11-28T00:00:00-08:00"},
		{"UTC", "2026-11-20 09:30", "2026-11-20T09:30:00Z"},
		{"UTC", "2026-11-20T09:30:15.123456789Z", "2026-11-20T09:30:15.123456789Z"},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T01:00:00-02:00"},   // a day without a midnight
		{"America/Havana", "2026-11-01", "2026-11-01T00:00:00-04:00"},      // and one with two
		{"Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"},        // a day that never was
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-05T00:00:00+11:00"}, // half an hour of summer time
		{"America/Sao_Paulo", "2026-07-20 09:30 -03", "2026-07-20T09:30:00-03:00"},
	} {
		got, err := Parse(c.text, now.In(zone(t, c.zone)))
		if err != nil || got.Format(time.RFC3339Nano) != c.want {
			t.Errorf("%s: %q is %s, error %v; want %s", c.zone, c.text, got.Format(time.RFC3339Nano), err, c.want)
		}
	}
}

// TestParseRefuses: an error says what was typed and what is possible; nothing is guessed.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 10, 15, 30, 0, zone(t, "Europe/Berlin"))
	for text, want := range map[string]string{
		"":                              `"" is not a time: write 2h, 3d`,
		"09:30":                         `"09:30" is not a time`, // YAML makes a number of 10:30, which would be a revision
		"tomorrow":                      `"tomorrow" is not a time`,
		"ago":                           `"ago" is not a time`,
		" ago":                          `" ago" is not a time`,
		"-2h":                           `"-2h" is not a time`,
		"2 h":                           `"2 h" is not a time`,
		"1h1w":                          `"1h1w" is not a time`,
		"1234567s":                      `"1234567s" is not a time`,
		"2026-11":                       `"2026-11" is not a time`,
		"2026-11-2009:30":               `"2026-11-2009:30" is not a time`,
		"999999w":                       `"999999w" reaches back before the year 1`,
		"0001-01-01 00:00 UTC":          `is before the year 1`,
		"0001-01-01":                    `is before the year 1 in UTC`,
		"2026-02-30":                    `"2026-02-30": there is no day 2026-02-30`,
		"2026-11-20 24:00":              `"2026-11-20 24:00": there is no time 24:00`,
		"2026-11-20 09:60":              `"2026-11-20 09:60": there is no time 09:60`,
		"2026-11-20 09:30 Mars/Olympus": `"2026-11-20 09:30 Mars/Olympus": the time zone Mars/Olympus is unknown on this machine; give an offset, such as +01:00`,
		"2026-11-20 09:30 +1":           `"2026-11-20 09:30 +1": the time zone +1 is unknown`,
		"2026-07-20 09:30 CET":          `"2026-07-20 09:30 CET": the zone is CEST at that time, not CET`,
		"2026-11-20 09:30 PST":          `"2026-11-20 09:30 PST": the zone is CET at that time, not PST`,
		"2026-03-29 02:30":              `"2026-03-29 02:30": that time did not exist: clocks went from 2026-03-29 01:59:59 CET to 2026-03-29 03:00:00 CEST`,
		"2026-10-25 02:30":              `"2026-10-25 02:30": that time occurred twice; write 2026-10-25 02:30:00 CEST or 2026-10-25 02:30:00 CET`,
		"2026-10-25 02:30:00 ()":        `is not a time`,
	} {
		if got, err := Parse(text, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %v, error %v; want %s", text, got, err, want)
		}
	}
}

// zones have all kinds of habits: none, midnights that are missing or come twice, half hours, days left out, offsets
// for names.
var zones = []string{"UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Asia/Beirut", "Asia/Kolkata", "Australia/Lord_Howe",
	"Pacific/Apia", "Pacific/Chatham", "Africa/Casablanca", "America/St_Johns", "Asia/Tehran", "Antarctica/Troll"}

// TestFormatBack: what is shown is read back as the same second, whatever the zone and its clocks do.
func TestFormatBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		in := zone(t, rapid.SampledFrom(zones).Draw(rt, "zone"))
		moment := time.Unix(rapid.Int64Range(0, 2_000_000_000).Draw(rt, "second"), 0).In(in)
		if _, end := moment.ZoneBounds(); !end.IsZero() && rapid.Bool().Draw(rt, "where clocks are set") {
			moment = end.Add(time.Duration(rapid.IntRange(-7200, 7200).Draw(rt, "seconds from there")) * time.Second).In(in)
		}
		now := time.Date(2026, 11, 29, 10, 15, 30, 0, in)
		if got, err := Parse(Format(moment), now); err != nil || !got.Equal(moment) {
			rt.Fatalf("%s is %s, error %v", Format(moment), Format(got), err)
		}
	})
}

// TestBeginning: a day begins with its first moment, in every zone and on every day of fifty years.
func TestBeginning(t *testing.T) {
	t.Parallel()
	for _, name := range zones {
		in := zone(t, name)
		for day := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() < 2040; day = day.AddDate(0, 0, 1) {
			got, err := Parse(day.Format(time.DateOnly), time.Now().In(in))
			if err != nil {
				t.Fatal(err)
			}
			first, before := got.Format(time.DateOnly), got.Add(-1).Format(time.DateOnly)
			if want := day.Format(time.DateOnly); before >= want || first != want && (name != "Pacific/Apia" || want != "2011-12-30") {
				t.Errorf("%s: %s begins at %s", name, want, got)
			}
		}
	}
}

func TestParseAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 10, 15, 30, 0, zone(t, "Europe/Berlin"))
	for text, want := range map[string]string{ // as the API takes it, and in words
		"now":                    "|now",
		"0":                      "0|revision 0",
		"12":                     "12|revision 12",
		"20261120":               "20261120|revision 20261120",
		"12-0b5e1f2a3c4d5e6f":    "12-0b5e1f2a3c4d5e6f|revision 12",
		"2026-11-20":             "2026-11-19T23:00:00Z|2026-11-20 00:00:00 CET",
		"2026-0b5e1f2a3c4d5e6f":  "2026-0b5e1f2a3c4d5e6f|revision 2026",
		"2h":                     "2026-11-29T07:15:30Z|2026-11-29 08:15:30 CET",
		"2026-11-20T09:30:00.5Z": "2026-11-20T09:30:00.5Z|2026-11-20 10:30:00 CET",
		"2026-11-20 09:30 -03":   "2026-11-20T12:30:00Z|2026-11-20 13:30:00 CET",
	} {
		at, err := ParseAt(text, now)
		if got := at.String() + "|" + at.Words(); err != nil || got != want {
			t.Errorf("%q is %s, error %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "+1", "12-", "12-xyz", "1234567890123456789012", "12.5", "HEAD"} {
		if at, err := ParseAt(text, now); err == nil || !strings.Contains(err.Error(), "a revision such as 12") {
			t.Errorf("%q is %v, error %v", text, at, err)
		}
	}
}

// TestUnknownTZ: a TZ that names no zone is not taken for UTC. What has a zone of its own needs none.
func TestUnknownTZ(t *testing.T) {
	local := time.Local
	t.Cleanup(func() { time.Local = local })
	time.Local = time.FixedZone("UTC", 0) // which is what the standard library makes of it
	t.Setenv("TZ", "Europe/Berlni")
	if _, err := Parse("2026-11-20 09:30", time.Now()); err == nil || !strings.Contains(err.Error(), `TZ is "Europe/Berlni", which is not`) {
		t.Errorf("error %v", err)
	}
	if _, err := Parse("2026-11-20 09:30Z", time.Now()); err != nil {
		t.Error(err)
	}
	for _, fine := range []string{"", ":", "UTC", ":UTC"} {
		t.Setenv("TZ", fine)
		if _, err := Parse("2026-11-20 09:30", time.Now()); err != nil {
			t.Errorf("TZ=%s: %v", fine, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"2h ago", "2026-11-20 09:30 CET", "2026-11-20T09:30:00+01:00", "yesterday 1:2"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 29, 10, 15, 30, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := Parse(text, now); err == nil && got.Location() != now.Location() {
			t.Errorf("%q is %v", text, got)
		}
	})
}

package when_test

import (
	"strings"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/when"
)

func TestParseFuture(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 28, 12, 0, 0, 0, berlin) // the next day has 23 hours
	for text, want := range map[string]string{
		"90d": "2026-06-26T12:00:00+02:00", "1d": "2026-03-29T12:00:00+02:00", "24h": "2026-03-29T13:00:00+02:00", " 1W1d12h ": "2026-04-06T00:00:00+02:00", "5s": "2026-03-28T12:00:05+01:00",
		"2026-12-31T00:00:00Z": "2026-12-31T01:00:00+01:00", "2027-01-01": "2027-01-01T00:00:00+01:00",
	} {
		if got, err := when.ParseFuture(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v, want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"": "is not a time", "soon": "a duration from now, such as 90d", "2h ago": "in the past", "now": "in the past", "0d": "in the past", "2026-03-28": "in the past", "999999w": "year 9999", "-1d": "is not a time",
	} {
		if got, err := when.ParseFuture(text, now); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v, want %q", text, got, err, want)
		}
	}
}

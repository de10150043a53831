package craton

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Timestamp is a time in Craton's format: UTC, without a zone, six fraction digits (v1 contract §0.3). The zero
// Timestamp is null.
//
// The response to a create or update has microseconds, a later read whole seconds (Q1): compare with a tolerance of two
// seconds. An object's updated_at does not change when its variables or labels do (Q32).
type Timestamp struct{ time.Time }

const timestampLayout = "2006-01-02T15:04:05.000000"

// UnmarshalJSON decodes null or a timestamp, with or without fraction and zone.
func (t *Timestamp) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		t.Time = time.Time{}
		return nil
	}
	if len(b) < 2 || b[0] != '"' {
		return fmt.Errorf("craton: %s is not a timestamp", b)
	}
	text := string(b[1 : len(b)-1])
	for _, layout := range []string{"2006-01-02T15:04:05.999999", time.RFC3339Nano} {
		if parsed, err := time.Parse(layout, text); err == nil {
			t.Time = parsed.UTC()
			return nil
		}
	}
	return fmt.Errorf("craton: %q is not a timestamp", text)
}

// MarshalJSON encodes the timestamp in Craton's format.
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.UTC().Format(timestampLayout) + `"`), nil
}

// Link is a member of a listing's or a device's links.
type Link struct {
	Href string `json:"href"`
	Rel  string `json:"rel"` // first, prev, self, next in listings; up on devices
}

// Ref is an id in an update that can also be removed: 0 is sent as null.
type Ref int

// MarshalJSON writes the id, or null for 0.
func (r Ref) MarshalJSON() ([]byte, error) {
	if r == 0 {
		return []byte("null"), nil
	}
	return json.Marshal(int(r))
}

// NoParent is the ParentID of an update that detaches a device from its parent: new(craton.NoParent).
const NoParent Ref = 0

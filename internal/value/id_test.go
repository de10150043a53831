package value_test

import (
	"encoding/json"
	"testing"

	"github.com/craton-fleet/craton/internal/value"
)

func TestID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"12": "12", "2147483647": "2147483647", `"5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"`: "5d1b7c0e-6a0b-4c52-9a55-0d6f5f1a2b3c"} {
		var id any
		if err := json.Unmarshal([]byte(text), &id); err != nil || value.IDText(id) != want {
			t.Errorf("%s: %s, %v", text, value.IDText(id), err)
		}
	}
	if value.ID(float64(7)) != 7 || value.IDText(7) != "7" {
		t.Error(value.ID(float64(7)), value.IDText(7))
	}
}

package iotronic_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/craton-fleet/craton/iotronic"
)

// TestUnreadableNumbers: a number that Python reads as Infinity, or as 0, is refused before anything is sent: the
// object could not be read afterwards.
func TestUnreadableNumbers(t *testing.T) {
	t.Parallel()
	c := newClient(t, "http://127.0.0.1:1", iotronic.WithRetries(0), iotronic.WithDialect(iotronic.DialectIronic))
	for _, raw := range []string{"1e400", "-1e400", `{"a": [1e400]}`, "1e-400"} {
		_, err := c.Nodes.Update(t.Context(), "n1", iotronic.Changes{"extra/f": json.RawMessage(raw)})
		if _, refused := errors.AsType[*iotronic.ValidationError](err); !refused || !strings.Contains(err.Error(), "extra") {
			t.Errorf("update %s: %v", raw, err)
		}
		_, err = c.Nodes.Create(t.Context(), iotronic.NodeCreate{Driver: "fake-hardware", Extra: iotronic.Object{"f": json.RawMessage(raw)}})
		if _, refused := errors.AsType[*iotronic.ValidationError](err); !refused || !strings.Contains(err.Error(), "extra") {
			t.Errorf("create %s: %v", raw, err)
		}
	}
}

package show_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/craton-fleet/craton/internal/cli/clitest"
	"github.com/craton-fleet/craton/internal/cli/show"
)

// TestDocumentsOnATerminal are the same JSON, with nothing that a terminal obeys, wherever their text is cut into
// pieces.
func TestDocumentsOnATerminal(t *testing.T) {
	t.Parallel()
	tty, other := clitest.Terminal(t, 80)
	items := slices.Repeat([]any{"ü\u009b31m\x1b[2J€😀", strings.Repeat("€", 1000)}, 40)
	shown := make(chan string)
	go func() { // a terminal holds 4 KiB, then who writes has to wait
		var text strings.Builder
		for piece := make([]byte, 1<<12); !strings.HasSuffix(text.String(), "\n}\r\n"); {
			n, err := other.Read(piece)
			if err != nil {
				break
			}
			text.Write(piece[:n])
		}
		shown <- text.String()
	}()
	if err := show.WriteList(tty, show.FormatJSON, map[string]any{"a": 1}, "items", slices.Values(items)); err != nil {
		t.Fatal(err)
	}
	text := <-shown
	if i := strings.IndexFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\r' && r != '\n' || r == '\uFFFD' }); i >= 0 {
		t.Errorf("%q", text[max(i-20, 0):i+20])
	}
	var got struct{ Items []any }
	if err := json.Unmarshal([]byte(text), &got); err != nil || !slices.Equal(got.Items, items) {
		t.Errorf("%v, %d items", err, len(got.Items))
	}
}

package connect

import "testing"

// TestSpelling: what people write for a fleet's URL, and what they are told.
func TestSpelling(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "sqlite:x.db": "", "sqlite:/x.db": "", "sqlite:./x": "", "http://host:7780": "", "https://host/v1": "", "HTTP://host": "",
		"SQLITE:x.db": "sqlite:x.db", "Sqlite:/x.db": "sqlite:/x.db", "sqlite://x.db": "sqlite:x.db", "sqlite:///abs/x.db": "sqlite:/abs/x.db", "sqlite:////abs/x.db": "sqlite:/abs/x.db",
		"x.db": "sqlite:x.db", "./x": "sqlite:./x", "/abs/fleet": "sqlite:/abs/fleet", "~/x.db": "sqlite:~/x.db", "file:x.db": "sqlite:x.db", "sqlite3:x.db": "sqlite:x.db",
		"host:7780": "http://host:7780, or https://host:7780", "craton.example.net": "",
		"127.0.0.1:7780/v1": "http://127.0.0.1:7780/v1, or https://127.0.0.1:7780/v1", "localhost": "",
		" sqlite:x.db": "sqlite:x.db", "sqlite:http://host:7780": "http://host:7780", "sqlite:https://bob:secret@host/v1": "https://********@host/v1",
		"bob:secret@host:7780": "", "nonsense": "",
	} {
		if got := Spelling(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

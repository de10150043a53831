package kept

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/private"
)

// Refusal is a document that was not taken in the place of the one that is kept, because it has lost too much.
type Refusal struct {
	Fleet    string    `json:"fleet"`
	Settings string    `json:"settings"`
	Hosts    int       `json:"hosts"` // it has
	Lost     int       `json:"lost"`  // of those that the last one had
	Of       int       `json:"of"`
	Names    []string  `json:"names"` // some of those that it lost
	At       time.Time `json:"at"`
}

// LostHosts names the hosts that were lost.
func (r *Refusal) LostHosts() string {
	text := strings.Join(r.Names, ", ")
	if r.Lost > len(r.Names) {
		text += ", ..."
	}
	return text
}

// What notes say of the document with the same key.
const (
	refused  = ".refused"
	accepted = ".accepted"
)

var notes = []string{refused, accepted}

const maxNote = 1 << 20

func (s *Store) note(key, what string) string { return filepath.Join(s.dir, key+what) }

// Refuse notes what was refused.
func (s *Store) Refuse(key string, r Refusal) error {
	f, err := s.create(s.note(key, refused))
	if err != nil {
		return err
	}
	return private.Keep(f, s.note(key, refused), json.NewEncoder(f).Encode(r))
}

// Accepted returns what may be lost all the same; nil: nothing.
func (s *Store) Accepted(key string) *Refusal {
	r, err := s.readNote(key, accepted)
	if err != nil {
		return nil
	}
	return r
}

func (s *Store) readNote(key, what string) (*Refusal, error) {
	f, err := private.Open(s.note(key, what))
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	r := new(Refusal)
	return r, json.NewDecoder(io.LimitReader(f, maxNote)).Decode(r)
}

// Refused returns what was refused and not accepted yet, by key.
func (s *Store) Refused() (map[string]*Refusal, error) {
	files, err := s.files()
	all := map[string]*Refusal{}
	for _, file := range files {
		key, is := strings.CutSuffix(file.Name(), refused)
		if !is {
			continue
		}
		r, bad := s.readNote(key, refused)
		switch {
		case bad == nil:
			all[key] = r
		case !errors.Is(bad, fs.ErrNotExist):
			err = errors.Join(err, bad)
		}
	}
	return all, err
}

// Accept has the next document of a key taken, if it has lost no more than the one that was refused.
func (s *Store) Accept(key string) error {
	return os.Rename(s.note(key, refused), s.note(key, accepted))
}

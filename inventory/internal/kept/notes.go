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

// Refusal is a document that did not replace the cached one, because it has lost too many hosts.
type Refusal struct {
	Fleet    string    `json:"fleet"`
	Settings string    `json:"settings"`
	Hosts    int       `json:"hosts"` // it has
	Lost     int       `json:"lost"`  // of those in the previous one
	Of       int       `json:"of"`
	Names    []string  `json:"names"` // some of the lost ones
	At       time.Time `json:"at"`
}

// LostHosts lists the lost hosts.
func (r *Refusal) LostHosts() string {
	text := strings.Join(r.Names, ", ")
	if r.Lost > len(r.Names) {
		text += ", ..."
	}
	return text
}

// Fields of notes about the document with the same key.
const (
	refused  = ".refused"
	accepted = ".accepted"
)

var notes = []string{refused, accepted}

const maxNote = 1 << 20

func (s *Store) note(key, what string) string { return filepath.Join(s.dir, key+what) }

// Refuse records a refusal.
func (s *Store) Refuse(key string, r Refusal) error {
	f, err := s.create(s.note(key, refused))
	if err != nil {
		return err
	}
	return private.Keep(f, s.note(key, refused), json.NewEncoder(f).Encode(r))
}

// Accepted returns the accepted losses; nil: none.
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

// Refused returns refusals that have not been accepted yet, by key.
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

// Accept makes the next document of a key acceptable, if it has not lost more than the one that was refused.
func (s *Store) Accept(key string) error {
	return os.Rename(s.note(key, refused), s.note(key, accepted))
}

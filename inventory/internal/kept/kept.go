package kept

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/craton-fleet/craton/internal/private"
)

const (
	// MaxBytes is the maximum disk space of all cached documents.
	MaxBytes = 2 << 30
	// Unused is how long an unused document is kept.
	Unused = 30 * 24 * time.Hour

	form      = 1 // of files
	ending    = ".kept"
	maxHeader = 1 << 20
	magic     = "craton-kept\x00"
	tail      = 8 + 4 + len(magic)
	piece     = 256 << 10 // of a document that is in memory at once
	abandoned = 24 * time.Hour
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Part is a part of a file.
type Part struct {
	Size int64  `json:"size"`
	Sum  uint32 `json:"sum"`
}

// Header describes a cached document.
type Header struct {
	Form     int       `json:"form"`
	Key      string    `json:"key"`
	Program  string    `json:"program"` // that made it
	Fleet    string    `json:"fleet"`   // its source, in words
	Settings string    `json:"settings"`
	Tag      string    `json:"tag"`      // the server's entity tag, which shows whether anything has changed; "" from a server without revisions
	Revision string    `json:"revision"` // the end of the server's change log at that time
	Hosts    int       `json:"hosts"`
	Made     time.Time `json:"made"`
	Document Part      `json:"document"`
	Index    Part      `json:"index"`
}

// Folder returns the default directory of documents: craton/inventory in the user's cache directory ($XDG_CACHE_HOME,
// or ~/.cache; ~/Library/Caches on macOS).
func Folder() (string, error) {
	dir, err := private.CachePath("inventory")
	if err != nil {
		return "", fmt.Errorf("no directory to cache inventories in: %w", err)
	}
	return dir, nil
}

// Store is a directory of documents.
type Store struct{ dir string }

// Open opens the directory, which is created when it is first needed. An error says why its contents are not used.
func Open(dir string) (*Store, error) {
	if err := private.CheckFolder(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return &Store{dir}, nil
}

// CanOpen checks whether the directory exists, or can be created.
func (s *Store) CanOpen() error {
	if err := private.CheckFolder(s.dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return private.CanMake(s.dir)
}

// Dir returns the directory.
func (s *Store) Dir() string { return s.dir }

func (s *Store) path(key string) string { return filepath.Join(s.dir, key+ending) }

// Entry is a cached document. It is open until Close.
type Entry struct {
	Header
	Checked time.Time // when it was last confirmed to be current
	Bytes   int64     // of the file
	file    *os.File
}

// errDamaged is the error for a file that is not what was written.
var errDamaged = errors.New("it is truncated or corrupted")

// Find opens the document of a key. The error is fs.ErrNotExist if there is none, or says why the existing one is not
// used.
func (s *Store) Find(key string) (*Entry, error) {
	f, err := private.Open(s.path(key))
	if err != nil {
		return nil, err
	}
	e := &Entry{file: f}
	if err := e.readHeader(key); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", s.path(key), err)
	}
	return e, nil
}

func (e *Entry) readHeader(key string) error {
	info, err := e.file.Stat()
	if err != nil {
		return err
	}
	e.Checked, e.Bytes = info.ModTime(), info.Size()
	end := make([]byte, tail)
	if e.Bytes < int64(tail) {
		return errDamaged
	}
	if _, err := e.file.ReadAt(end, e.Bytes-int64(tail)); err != nil {
		return err
	}
	size, sum := binary.BigEndian.Uint64(end), binary.BigEndian.Uint32(end[8:])
	if string(end[12:]) != magic || size > maxHeader || int64(size) > e.Bytes-int64(tail) { //nolint:gosec // it is small
		return errDamaged
	}
	text := make([]byte, size)
	if _, err := e.file.ReadAt(text, e.Bytes-int64(tail)-int64(size)); err != nil { //nolint:gosec // it is small
		return err
	}
	if crc32.Checksum(text, castagnoli) != sum || json.Unmarshal(text, &e.Header) != nil {
		return errDamaged
	}
	if e.Form != form || e.Key != key || e.Document.Size < 0 || e.Index.Size < 0 || e.Document.Size+e.Index.Size+int64(size)+int64(tail) != e.Bytes { //nolint:gosec // it is small
		return errDamaged
	}
	return nil
}

// Close closes the file. It does nothing for a nil Entry.
func (e *Entry) Close() {
	if e != nil {
		_ = e.file.Close()
	}
}

// Check reads the complete document and verifies its checksum.
func (e *Entry) Check() error {
	buf := make([]byte, piece)
	sum := uint32(0)
	for at := int64(0); at < e.Document.Size; {
		n, err := e.file.ReadAt(buf[:min(int64(len(buf)), e.Document.Size-at)], at)
		if n == 0 {
			return fmt.Errorf("%s: %w", e.file.Name(), err)
		}
		sum = crc32.Update(sum, castagnoli, buf[:n])
		at += int64(n)
	}
	if sum != e.Document.Sum {
		return fmt.Errorf("%s: %w", e.file.Name(), errDamaged)
	}
	return nil
}

// Reader returns the document.
func (e *Entry) Reader() *io.SectionReader { return io.NewSectionReader(e.file, 0, e.Document.Size) }

// WriteTo writes the document.
func (e *Entry) WriteTo(w io.Writer) (int64, error) {
	return io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{e.Reader()}, make([]byte, piece))
}

// ReadIndex reads the index.
func (e *Entry) ReadIndex() ([]byte, error) {
	index := make([]byte, e.Index.Size)
	if _, err := e.file.ReadAt(index, e.Document.Size); err != nil && len(index) > 0 {
		return nil, err
	}
	if crc32.Checksum(index, castagnoli) != e.Index.Sum {
		return nil, fmt.Errorf("%s: %w", e.file.Name(), errDamaged)
	}
	return index, nil
}

// Touch records that the document is current now.
func (e *Entry) Touch(now time.Time) {
	if now.Sub(e.Checked).Abs() > time.Second {
		_ = os.Chtimes(e.file.Name(), now, now) // if it was replaced, that is just as current
	}
}

// Draft is a document that is being written to the cache.
type Draft struct {
	store *Store
	key   string
	file  *os.File
	part  Part
	err   error
}

// Begin begins a document, which is not visible before [Draft.Keep].
func (s *Store) Begin(key string) *Draft {
	d := &Draft{store: s, key: key}
	d.file, d.err = s.create(s.path(key))
	return d
}

func (s *Store) create(path string) (*os.File, error) {
	if err := private.MakeFolder(s.dir); err != nil {
		return nil, err
	}
	return private.Create(path)
}

// files returns the files of the directory; none if it does not exist.
func (s *Store) files() ([]os.DirEntry, error) {
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return files, err
}

// Write adds to the document. Keep returns its error, so that other writers of the same document are not disturbed.
func (d *Draft) Write(b []byte) (int, error) {
	d.add(&d.part, b)
	return len(b), nil
}

func (d *Draft) add(part *Part, b []byte) {
	if d.err != nil {
		return
	}
	if part.Size += int64(len(b)); d.part.Size > MaxBytes/2 {
		d.err = errors.New("it is too large to cache")
		return
	}
	part.Sum = crc32.Update(part.Sum, castagnoli, b)
	_, d.err = d.file.Write(b)
}

// Keep replaces the cached document.
func (d *Draft) Keep(h Header, index []byte) error {
	h.Form, h.Key = form, d.key
	d.add(&h.Index, index)
	h.Document = d.part
	if d.err == nil {
		var text []byte
		if text, d.err = json.Marshal(h); d.err == nil {
			end := binary.BigEndian.AppendUint64(text, uint64(len(text)))
			end = binary.BigEndian.AppendUint32(end, crc32.Checksum(text, castagnoli))
			_, d.err = d.file.Write(append(end, magic...))
		}
	}
	if d.file == nil {
		return d.err
	}
	if err := private.Keep(d.file, d.store.path(d.key), d.err); err != nil {
		return err
	}
	for _, note := range notes {
		_ = os.Remove(d.store.note(d.key, note))
	}
	d.store.sweep(d.key, h.Made)
	return nil
}

// Discard deletes the draft.
func (d *Draft) Discard() {
	if d.file != nil {
		_ = private.Keep(d.file, "", errors.New("not wanted"))
	}
}

// sweep limits the size of the cache. The newest document is kept.
func (s *Store) sweep(key string, now time.Time) {
	type old struct {
		path string
		size int64
		at   time.Time
	}
	var all []old
	total := int64(0)
	files, err := s.files()
	if err != nil {
		return
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil || !info.Mode().IsRegular() || !isOwnFile(file.Name()) {
			continue
		}
		path, age := filepath.Join(s.dir, file.Name()), now.Sub(info.ModTime())
		if age > Unused || strings.HasSuffix(file.Name(), private.Temporary) && age > abandoned {
			_ = os.Remove(path)
			continue
		}
		total += info.Size()
		if path != s.path(key) && strings.HasSuffix(path, ending) {
			all = append(all, old{path, info.Size(), info.ModTime()})
		}
	}
	slices.SortFunc(all, func(a, b old) int { return a.at.Compare(b.at) })
	for _, one := range all {
		if total <= MaxBytes {
			return
		}
		if os.Remove(one.path) == nil {
			total -= one.size
		}
	}
}

// isOwnFile reports whether a file was written by this package.
func isOwnFile(name string) bool {
	if strings.HasSuffix(name, private.Temporary) {
		return strings.Contains(name, ending)
	}
	return strings.HasSuffix(name, ending) || slices.ContainsFunc(notes, func(n string) bool { return strings.HasSuffix(name, n) })
}

// All opens the cached documents, the most recently used first. Those that cannot be used are in the error; the others
// are returned nevertheless.
func (s *Store) All() ([]*Entry, error) {
	files, err := s.files()
	var all []*Entry
	for _, file := range files {
		key, is := strings.CutSuffix(file.Name(), ending)
		if !is {
			continue
		}
		e, bad := s.Find(key)
		if bad != nil {
			if !errors.Is(bad, fs.ErrNotExist) { // another process is replacing it
				err = errors.Join(err, bad)
			}
			continue
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Entry) int { return b.Checked.Compare(a.Checked) })
	return all, err
}

// Clear removes all cached documents, and returns how many there were.
func (s *Store) Clear() (documents int, err error) {
	files, err := s.files()
	for _, file := range files {
		if !isOwnFile(file.Name()) {
			continue
		}
		if bad := os.Remove(filepath.Join(s.dir, file.Name())); bad != nil {
			err = errors.Join(err, bad)
		} else if strings.HasSuffix(file.Name(), ending) {
			documents++
		}
	}
	return documents, err
}

package output

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// Streams are the streams of a command: Out for data, Err for messages.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// System returns the process's own streams. Out is a [*StickyFile].
func System() Streams { return Streams{os.Stdin, &StickyFile{file: os.Stdout}, os.Stderr} }

// Descriptor is a stream of the operating system.
type Descriptor interface{ Fd() uintptr }

// StickyFile is a file that keeps its first write error, so that a program that does not check each write fails
// nevertheless.
type StickyFile struct {
	file *os.File
	mu   sync.Mutex
	err  error
}

// Write writes to the file.
func (k *StickyFile) Write(b []byte) (int, error) {
	n, err := k.file.Write(b)
	if err != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.err = cmp.Or(k.err, err)
	}
	return n, err
}

// Fd returns the file's descriptor.
func (k *StickyFile) Fd() uintptr { return k.file.Fd() }

// File returns the file itself.
func (k *StickyFile) File() *os.File { return k.file }

// WriteError returns the first error of writing to w; nil if there was none, or if w does not keep it.
func WriteError(w io.Writer) error {
	k, ok := w.(*StickyFile)
	if !ok {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// IsTerminal reports whether w is a terminal.
func IsTerminal(w any) bool {
	f, ok := w.(Descriptor)
	return ok && term.IsTerminal(int(f.Fd()))
}

// OneLine returns an error's text on a single line, as programs that read standard error line by line expect.
func OneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// WriteFile writes a file atomically, with the given permissions. It writes a temporary file in the same directory,
// which replaces path only if everything succeeded. A directory, a device and an SQLite database are never replaced.
func WriteFile(path string, perm fs.FileMode, write func(io.Writer) error) (err error) {
	if err := replaceable(path); err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
			err = fmt.Errorf("cannot write %s: %w", path, err)
		}
	}()
	if err := tmp.Chmod(perm); err != nil {
		return err
	}
	b := bufio.NewWriterSize(tmp, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// sqliteHeader is the beginning of every SQLite database.
const sqliteHeader = "SQLite format 3\x00"

// replaceable refuses to replace what cannot be restored by writing again: the database of a fleet, or /dev/null.
func replaceable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil // nothing exists, or writing returns why it cannot be created
	}
	if !info.Mode().IsRegular() {
		return errors.New("it exists and is not a regular file; choose another name")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil // an unreadable file is not a fleet of this user
	}
	defer f.Close() //nolint:errcheck // only read
	head := make([]byte, len(sqliteHeader))
	if _, err := io.ReadFull(f, head); err == nil && string(head) == sqliteHeader {
		return errors.New("it is an SQLite database, which may contain a fleet; choose another name")
	}
	return nil
}

// Progress shows how far a long job has got: one line on a terminal, rewritten a few times a second; nothing on
// anything else. A nil *Progress shows nothing. It is safe for concurrent use.
type Progress struct {
	mu   sync.Mutex
	w    io.Writer
	last time.Time
	used bool
}

// NewProgress shows progress on w if w is a terminal.
func NewProgress(w io.Writer) *Progress {
	if !IsTerminal(w) {
		return nil
	}
	return &Progress{w: w}
}

// Show reports that done of total steps are finished, and the current step. total 0 means it is not known yet.
func (p *Progress) Show(done, total int, what string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); now.Sub(p.last) >= 100*time.Millisecond || done == total {
		p.last, p.used = now, true
		_, _ = io.WriteString(p.w, "\r\x1b[K"+progressLine(done, total, what))
	}
}

// Done wipes the line.
func (p *Progress) Done() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used {
		_, _ = io.WriteString(p.w, "\r\x1b[K")
		p.used = false
	}
}

func progressLine(done, total int, what string) string {
	const width = 24
	if total <= 0 {
		return fmt.Sprintf("%d %s", done, what)
	}
	filled := min(max(done*width/total, 0), width)
	return fmt.Sprintf("[%s%s] %d/%d %s", strings.Repeat("#", filled), strings.Repeat(".", width-filled), done, total, what)
}

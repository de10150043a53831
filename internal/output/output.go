package output

import (
	"bufio"
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

// Streams are where a command reads and writes: Out for data, Err for talk.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// System are the process's own streams.
func System() Streams { return Streams{os.Stdin, os.Stdout, os.Stderr} }

// IsTerminal tells whether a person sees what is written to w.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// OneLine is an error's text on a single line, as programs that read standard error line by line expect.
func OneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// WriteFile makes the file at path hold what write writes, with the given permissions: whole or not at all.
// It writes a temporary file beside it, which takes the place of path only when all went well.
func WriteFile(path string, perm fs.FileMode, write func(io.Writer) error) (err error) {
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

// Progress shows how far a long job is: one line on a terminal, rewritten a few times a second; nothing on
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

// Show says that done of total steps are finished and what is being done. total 0 means it is not known yet.
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

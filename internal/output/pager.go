package output

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/term"

	"github.com/craton-fleet/craton/internal/table"
	"github.com/craton-fleet/craton/internal/value"
)

// Pager shows text that does not fit on the screen page by page, through a program such as less. Streams of [Paged]
// write to it; until [Pager.Begin], and if the text fits on the screen, they write directly to the terminal. A nil
// *Pager does nothing.
type Pager struct {
	terminal    Streams
	rows, width int

	mu      sync.Mutex
	program string   // "": nothing is paged
	early   []byte   // what standard error got before there was any output
	held    []piece  // what waits to be shown
	lines   int      // of held
	pipe    *os.File // to the program, once it runs
	begun   []byte   // what it got first
	left    bool     // nobody reads any more
	ended   bool     // all was written
	status  int      // of a signal that ended the command
	cancel  context.CancelCauseFunc
	command *exec.Cmd
	done    chan struct{} // closed when the program has ended
}

// piece is a text and its destination without a program.
type piece struct {
	to   io.Writer
	text []byte
}

// errLeft is the error of a command whose pager the user has quit.
var errLeft = errors.New("the pager was closed")

// pipeSpace is the maximum number of bytes in a pipe that nobody reads.
const pipeSpace = 1 << 16

// Paged returns streams whose output can be paged, if it goes to a terminal; otherwise it returns s, and no pager.
func Paged(s Streams) (Streams, *Pager) {
	f, ok := s.Out.(Descriptor)
	if !ok || !IsTerminal(s.Out) {
		return s, nil
	}
	width, rows, err := term.GetSize(int(f.Fd()))
	if err != nil || rows < 2 || width < 1 {
		return s, nil
	}
	p := &Pager{terminal: s, rows: rows, width: width, done: make(chan struct{})}
	s.Out = &pagedStream{p, p.terminal.Out, false}
	if IsTerminal(s.Err) {
		s.Err = &pagedStream{p, p.terminal.Err, true}
	}
	return s, p
}

// PagerOf returns the pager of a stream of [Paged]; nil if there is none.
func PagerOf(w io.Writer) *Pager {
	if p, ok := w.(*pagedStream); ok {
		return p.pager
	}
	return nil
}

// pagedStream is a stream of a terminal that can be paged.
type pagedStream struct {
	pager *Pager
	to    io.Writer
	talk  bool // it is standard error
}

// Fd returns the terminal's descriptor.
func (w *pagedStream) Fd() uintptr { return w.to.(Descriptor).Fd() } //nolint:forcetypeassert // Paged looked

// Write writes to the terminal, or to the program.
func (w *pagedStream) Write(b []byte) (int, error) { return w.pager.write(w, b) }

// Begin sends the output from now on to a program, given as a shell command. The context ends when the user quits it.
func (p *Pager) Begin(ctx context.Context, program string) context.Context {
	if p == nil || program == "" {
		return ctx
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, p.cancel = context.WithCancelCause(ctx)
	p.program = program
	return ctx
}

func (p *Pager) write(w *pagedStream, b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	moving := w.talk && bytes.HasPrefix(b, []byte("\r")) // progress, which rewrites its line
	switch {
	case p.left, moving && (p.pipe != nil || p.held != nil):
		return len(b), nil
	case p.pipe != nil:
		return len(b), p.send(b)
	case p.program == "":
		return w.to.Write(b)
	case w.talk && p.held == nil: // output may take a while
		if !moving {
			p.early = append(p.early, b...)
		}
		return w.to.Write(b)
	}
	p.held = append(p.held, piece{w.to, bytes.Clone(b)})
	if p.lines += screenLines(b, p.width, p.rows); p.lines < p.rows {
		return len(b), nil
	}
	return len(b), p.open()
}

// colors matches the sequences that colour text.
var colors = value.LazyPattern(`\x1b\[[0-9;]*m`)

// screenLines returns the number of screen lines that a text takes, up to a maximum.
func screenLines(text []byte, width, enough int) (n int) {
	for line := range bytes.Lines(text) {
		line, ends := bytes.CutSuffix(line, []byte("\n"))
		if wide := table.Width(colors().ReplaceAllString(string(line), "")); wide > width {
			n += (wide - 1) / width
		}
		if ends {
			n++
		}
		if n >= enough {
			break
		}
	}
	return n
}

// open starts the program with the text so far. If that fails, the text goes to the terminal.
func (p *Pager) open() error {
	command := programOf(p.program)
	r, w, err := os.Pipe()
	if command == nil || err != nil {
		return p.passThrough()
	}
	defer r.Close() //nolint:errcheck // the program has its own
	command.Stdin, command.Stdout, command.Stderr = r, fileOf(p.terminal.Out), os.Stderr
	command.Env = pagerEnvironment(os.Environ())
	if err := command.Start(); err != nil {
		_ = w.Close()
		return p.passThrough()
	}
	p.command, p.pipe = command, w
	signals := make(chan os.Signal, 1)
	// The program gets Ctrl-C too, and continues: without its parent it would share the terminal with a shell.
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case s := <-signals:
				p.waitUntilLeft(s)
			case <-p.done:
				p.setEnded()
				return
			}
		}
	}()
	go func() {
		_ = command.Wait() // its status is examined, and matters only if it could not start
		close(p.done)
	}()
	first := p.early
	for _, h := range p.held {
		first = append(first, h.text...)
	}
	return p.send(first)
}

// fileOf returns the file of a stream, for a process.
func fileOf(w io.Writer) io.Writer {
	if k, ok := w.(*StickyFile); ok {
		return k.File()
	}
	return w
}

// programOf returns the command for a program given as a shell command; nil if it does not exist.
func programOf(words string) *exec.Cmd {
	fields := strings.Fields(words)
	if !strings.ContainsAny(words, "|&;<>()$`\\\"'*?[#~=%") {
		if path, err := exec.LookPath(fields[0]); err == nil {
			return exec.Command(path, fields[1:]...) //nolint:gosec,noctx // the user's own words; it ends by itself
		}
		return nil
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		return nil
	}
	return exec.Command(shell, "-c", words) //nolint:gosec,noctx // the same
}

// pagerEnvironment returns what a pager is started with: less ends with the last page, shows colours, and leaves the text on the screen,
// unless LESS says otherwise. What it shows are others' words, so it runs no programs, opens no other files and writes none.
func pagerEnvironment(env []string) []string {
	has := func(name string) bool {
		return slices.ContainsFunc(env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	}
	env = append(slices.Clone(env), "LESSSECURE=1")
	if !has("LESS") {
		env = append(env, "LESS=FRX")
	}
	if !has("LV") {
		env = append(env, "LV=-c")
	}
	return env
}

// send returns the program more. Who does not read it has left, or could not be run.
func (p *Pager) send(b []byte) error {
	if len(p.begun) <= pipeSpace {
		p.begun = append(p.begun, b...)
	}
	if _, err := p.pipe.Write(b); err != nil {
		<-p.done
		return p.leave()
	}
	return nil
}

// leave ends the output, unless the program was none: then it goes on without it.
func (p *Pager) leave() error {
	_ = p.pipe.Close()
	if !p.isNotFound() {
		p.left = true
		p.cancel(errLeft)
		return nil
	}
	p.held, p.early, p.pipe, p.program = []piece{{p.terminal.Out, p.begun}}, nil, nil, ""
	return p.passThrough()
}

// isNotFound reports whether a program ended because the shell did not find it.
func (p *Pager) isNotFound() bool {
	const notExecutable, notFound = 126, 127
	code := p.command.ProcessState.ExitCode()
	return (code == notExecutable || code == notFound) && len(p.begun) <= 2*pipeSpace
}

// setEnded records that the program has ended.
func (p *Pager) setEnded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pipe != nil && !p.ended && !p.isNotFound() {
		p.left = true
		p.cancel(errLeft)
	}
}

// waitUntilLeft ends the command while the program stays until it is left.
func (p *Pager) waitUntilLeft(s os.Signal) {
	p.cancel(context.Canceled) // first: who writes now may hold the lock until the program reads on
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || p.left {
		return
	}
	p.left, p.status = true, 128+int(s.(syscall.Signal)) //nolint:forcetypeassert // the two that are asked for
	_ = p.pipe.Close()
}

// passThrough writes what is held, and all that follows, to the terminal.
func (p *Pager) passThrough() error {
	p.program = ""
	var failed error
	for _, h := range p.held {
		_, err := h.to.Write(h.text)
		failed = cmp.Or(failed, err)
	}
	p.held = nil
	return failed
}

// End shows the rest, waits until the program is left, and gives the status that the process ends with, of that of the command: who
// leaves early has seen enough, which is no failure.
func (p *Pager) End(status int) int {
	if p == nil {
		return status
	}
	p.mu.Lock()
	p.ended = true
	if p.pipe == nil {
		defer p.mu.Unlock()
		_ = p.passThrough() // WriteError returns it
		return status
	}
	_ = p.pipe.Close()
	p.mu.Unlock()
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.status != 0:
		return p.status
	case p.left && status == 1:
		return 0
	case !p.left && p.isNotFound():
		_ = p.leave() // the same
	}
	return status
}

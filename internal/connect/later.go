package connect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"sync"

	"github.com/craton-fleet/craton/server"
)

// openedServer is the server of a file, and its handler.
type openedServer struct {
	server  *server.Server
	handler http.Handler
}

// lazyFile creates a SQLite file with the first write that is not refused. Until then an empty fleet in a temporary
// directory is used, so that no empty file is left if nothing is written.
type lazyFile struct {
	file    string
	standIn http.Handler
	open    func(context.Context) (openedServer, error)

	mu   sync.Mutex
	real openedServer
}

// pick returns the handler for a request. A first write is tried on the temporary file; if it succeeds, the final file
// is created, and the write is repeated there.
func (l *lazyFile) pick(r *http.Request) (http.Handler, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.real.handler != nil:
		return l.real.handler, nil
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		return l.standIn, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	again := func() io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }
	tried := r.Clone(r.Context())
	tried.Body, r.Body = again(), again()
	w := &savedResponse{header: http.Header{}, status: http.StatusOK}
	if l.standIn.ServeHTTP(w, tried); w.status >= http.StatusBadRequest {
		return w, nil
	}
	if _, err := os.Stat(l.file); errors.Is(err, fs.ErrNotExist) {
		r.Header.Del("If-Match") // its precondition was checked in the temporary file, which has another log
	}
	l.real, err = l.open(r.Context())
	return l.real.handler, err
}

func (l *lazyFile) made() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.real.handler != nil
}

// close closes the file, if it was created.
func (l *lazyFile) close() error {
	if l == nil || !l.made() {
		return nil
	}
	return l.real.server.Close()
}

// savedResponse is a response that may be sent later, or never.
type savedResponse struct {
	header http.Header
	body   bytes.Buffer
	status int
}

func (k *savedResponse) Header() http.Header         { return k.header }
func (k *savedResponse) WriteHeader(status int)      { k.status = status }
func (k *savedResponse) Write(b []byte) (int, error) { return k.body.Write(b) }

// ServeHTTP gives it.
func (k *savedResponse) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	for name, values := range k.header {
		w.Header()[name] = values
	}
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body.Bytes()) // the answer of a handler in this process
}

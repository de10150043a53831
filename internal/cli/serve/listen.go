package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
	"golang.org/x/net/netutil"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/settings"
)

// unixPrefix begins an address that is the path of a Unix socket.
const unixPrefix = "unix:"

// socketMode lets the server's group connect, such as a proxy's, and nobody else.
const socketMode = 0o660

// defaultConnections is the limit on concurrent connections where the setting is 0, as its help says.
const defaultConnections = 4096

// longestSocket is the longest path of a Unix socket in bytes on Linux; macOS accepts four fewer.
const longestSocket = 107

// listenAll opens the listeners: the sockets that systemd passes to the process (sd_listen_fds), or else the address in
// the settings.
func listenAll(ctx context.Context, v *settings.Values) (all []net.Listener, err error) {
	most := cmp.Or(v.Int("server.max_connections"), defaultConnections)
	passed, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("the sockets that systemd passed: %w", err)
	}
	for _, l := range passed {
		if l == nil {
			return nil, errors.New("cannot listen on a socket that systemd passed: it must be a ListenStream=")
		}
		all = append(all, netutil.LimitListener(l, most))
	}
	if len(all) > 0 {
		return all, nil
	}
	l, err := listen(ctx, v.String("server.listen"), most)
	return []net.Listener{l}, err
}

// listen opens an address, host:port or unix:PATH, for at most most connections at once.
func listen(ctx context.Context, address string, most int) (net.Listener, error) {
	if address == "" { // which would mean all addresses of the machine, on any port
		return nil, errors.New("cannot listen: no address is set; use --listen 127.0.0.1:7780, or --listen unix:PATH")
	}
	path, isPath := strings.CutPrefix(address, unixPrefix)
	var l net.Listener
	var err error
	if isPath {
		l, err = listenUnix(ctx, path)
	} else {
		l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return netutil.LimitListener(l, most), nil
}

// listenUnix opens a Unix socket, and replaces one that is not in use any more.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	switch {
	case path == "" || path[0] == '@':
		return nil, errors.New("unix: must be followed by the path of a socket, such as unix:/run/craton/craton.sock")
	case len(path) > longestSocket:
		return nil, fmt.Errorf("the path of the socket has %d bytes, but at most %d are allowed: %s", len(path), longestSocket, path)
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, advice.With(fmt.Errorf("%s exists and is not a socket", path), "remove it, or choose another path")
		}
		if c, err := (&net.Dialer{}).DialContext(ctx, "unix", path); err == nil {
			_ = c.Close()
			return nil, advice.With(fmt.Errorf("another process serves on %s", path), "stop it, or choose another path")
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	// Until then only the owner could connect, and whoever the umask lets write.
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// urlOf returns where clients find a listener.
func urlOf(l net.Listener, encrypted bool) string {
	switch {
	case l.Addr().Network() == "unix":
		return unixPrefix + l.Addr().String()
	case encrypted:
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}

// public reports whether other machines can reach a listener.
func public(l net.Listener) bool {
	a, ok := l.Addr().(*net.TCPAddr)
	return ok && !a.IP.IsLoopback()
}

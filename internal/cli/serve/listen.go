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

// socketMode lets the server's group connect, such as that of a proxy before it, and nobody else.
const socketMode = 0o660

// defaultConnections is how many there may be at once where the setting is 0; its default says the same.
const defaultConnections = 4096

// longestSocket is how many bytes the path of a Unix socket may have on Linux; macOS takes four fewer.
const longestSocket = 107

// listenAll opens what clients come to: the sockets that systemd passes to the process (sd_listen_fds), or else the
// address in the settings.
func listenAll(ctx context.Context, v *settings.Values) (all []net.Listener, err error) {
	most := cmp.Or(v.Int("server.max_connections"), defaultConnections)
	passed, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("the sockets that systemd passed: %w", err)
	}
	for _, l := range passed {
		if l == nil {
			return nil, errors.New("a socket that systemd passed cannot be listened on: it must be a ListenStream=")
		}
		all = append(all, netutil.LimitListener(l, most))
	}
	if len(all) > 0 {
		return all, nil
	}
	l, err := listen(ctx, v.String("server.listen"), most)
	return []net.Listener{l}, err
}

// listen opens an address, host:port or unix:PATH, and lets no more than most connections in at once.
func listen(ctx context.Context, address string, most int) (net.Listener, error) {
	if address == "" { // which would be all addresses of the machine, on any port
		return nil, errors.New("cannot listen: no address is set; say --listen 127.0.0.1:7780, or unix:PATH")
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

// listenUnix opens a Unix socket, in the place of one that nobody listens on any more.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	switch {
	case path == "" || path[0] == '@':
		return nil, errors.New("unix: needs the path of a socket, such as unix:/run/craton/craton.sock")
	case len(path) > longestSocket:
		return nil, fmt.Errorf("the path of the socket has %d bytes, at most %d are possible: %s", len(path), longestSocket, path)
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != os.ModeSocket {
			return nil, advice.With(fmt.Errorf("%s is there, and no socket", path), "remove it, or choose another path")
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
	// Until then it was open to no more than the owner, and whoever the umask lets write.
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

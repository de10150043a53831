package serve

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"syscall"

	"github.com/craton-fleet/craton/internal/settings"
)

// certificate is the server's TLS certificate. It can be replaced while it is in use.
type certificate struct {
	cert, key string // PEM files
	current   atomic.Pointer[tls.Certificate]
}

// certificateOf loads the certificate named in the settings; without one, clients are served without TLS.
func certificateOf(v *settings.Values) (*certificate, error) {
	c := &certificate{cert: v.String("server.tls_cert"), key: v.String("server.tls_key")}
	if (c.cert == "") != (c.key == "") {
		return nil, errors.New("https requires both --tls-cert and --tls-key")
	}
	if c.cert == "" {
		return c, nil
	}
	return c, c.load()
}

// load reads the files. If they are invalid, the previous certificate stays in use.
func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("TLS certificate %s with key %s: %w", c.cert, c.key, err)
	}
	c.current.Store(&pair)
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.current.Load(), nil
}

// reload reads the certificate and its key again on SIGHUP, after an administrator has renewed them.
func reload(c *certificate, log *slog.Logger) {
	attrs := []any{slog.String("signal", syscall.SIGHUP.String())}
	if c.cert == "" {
		log.Info("nothing to reload: no TLS certificate is set", attrs...)
		return
	}
	attrs = append(attrs, slog.String("tls_cert", c.cert), slog.String("tls_key", c.key))
	if err := c.load(); err != nil {
		log.Error("the TLS certificate was not reloaded; the previous one stays in use", append(attrs, slog.String("error", err.Error()))...)
		return
	}
	log.Info("reloaded the TLS certificate and its key", attrs...)
}

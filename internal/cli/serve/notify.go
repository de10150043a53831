package serve

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notifySystemd sends the server's state to systemd, if that has started it with Type=notify (sd_notify).
func notifySystemd(state string, log *slog.Logger) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("could not notify systemd of the server's state", "error", err.Error())
	}
}

// pat tells systemd's watchdog, until ctx ends, that the server's handler responds. The state of the database does not
// matter: no restart would fix that.
func pat(ctx context.Context, handler http.Handler, log *slog.Logger) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return
	}
	tick := time.NewTicker(interval / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodHead, "/livez", http.NoBody)
		if err != nil {
			return
		}
		handler.ServeHTTP(&answered{header: http.Header{}}, r)
		notifySystemd(daemon.SdNotifyWatchdog, log)
	}
}

// answered is a response whose content does not matter.
type answered struct{ header http.Header }

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) Write(p []byte) (int, error) { return len(p), nil }
func (a *answered) WriteHeader(int)             {}

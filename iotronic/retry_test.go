package iotronic_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/craton-fleet/craton/internal/wording"
	"github.com/craton-fleet/craton/iotronic"
	"github.com/craton-fleet/craton/keystone"
)

const (
	bodyLocked = `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Node x is locked by host c1, please retry after the current operation is completed.\"}"}`
	bodyTaken  = `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"A node with name x already exists.\"}"}`
	bodyState  = `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Node x is associated with instance y.\"}"}`
	bodyBusy   = `{"error_message": "{\"faultcode\": \"Server\", \"faultstring\": \"(sqlite3.OperationalError) database is locked\"}"}`
	bodyWorker = `{"error_message": "{\"faultcode\": \"Server\", \"faultstring\": \"Requested action cannot be performed due to lack of free conductor workers.\"}"}`
)

// TestRetries: which requests are repeated after which answers (§1.6).
func TestRetries(t *testing.T) {
	t.Parallel()
	calls := map[string]func(context.Context, *iotronic.Client) error{
		"get": func(ctx context.Context, c *iotronic.Client) error { return second(c.Nodes.Get(ctx, "x")) },
		"create": func(ctx context.Context, c *iotronic.Client) error {
			return second(c.Nodes.Create(ctx, iotronic.NodeCreate{Name: "x"}))
		},
		"update": func(ctx context.Context, c *iotronic.Client) error {
			return second(c.Nodes.Update(ctx, "x", iotronic.Changes{"name": "y"}))
		},
		"delete": func(ctx context.Context, c *iotronic.Client) error { return c.Nodes.Delete(ctx, "x") },
		"power": func(ctx context.Context, c *iotronic.Client) error {
			return c.Nodes.SetPower(ctx, "x", iotronic.Reboot)
		},
		"power off": func(ctx context.Context, c *iotronic.Client) error {
			return c.Nodes.SetPower(ctx, "x", iotronic.PowerOff)
		},
		"soft reboot": func(ctx context.Context, c *iotronic.Client) error {
			return c.Nodes.SetPower(ctx, "x", iotronic.SoftReboot)
		},
		"console":     func(ctx context.Context, c *iotronic.Client) error { return c.Nodes.SetConsole(ctx, "x", true) },
		"boot mode":   func(ctx context.Context, c *iotronic.Client) error { return c.Nodes.SetBootMode(ctx, "x", "uefi") },
		"maintenance": func(ctx context.Context, c *iotronic.Client) error { return c.Nodes.SetMaintenance(ctx, "x", "fan") },
		"interrupt":   func(ctx context.Context, c *iotronic.Client) error { return c.Nodes.Interrupt(ctx, "x") },
		"vif":         func(ctx context.Context, c *iotronic.Client) error { return c.Nodes.AttachVIF(ctx, "x", "v", nil) },
	}
	for _, target := range []string{iotronic.ProvisionActive, iotronic.ProvisionDeleted, iotronic.ProvisionManage, iotronic.ProvisionClean, iotronic.ProvisionInspect, iotronic.ProvisionRebuild} {
		calls[target] = func(ctx context.Context, c *iotronic.Client) error {
			return c.Nodes.SetProvision(ctx, "x", iotronic.Provision{Target: target})
		}
	}
	const once, again = 1, 3
	for _, tt := range []struct {
		call   string
		status int
		body   string
		tries  int32
	}{
		{"get", 503, bodyWorker, again}, {"create", 503, bodyWorker, again}, {"update", 503, bodyWorker, again}, {"power", 503, bodyWorker, again},
		{"create", 409, bodyLocked, again}, {"update", 409, bodyLocked, again}, {"delete", 409, bodyLocked, again}, {"power", 409, bodyLocked, again},
		{"create", 409, bodyTaken, once}, {"update", 409, bodyTaken, once},
		{"create", 409, bodyState, once}, {"update", 409, bodyState, again}, {"delete", 409, bodyState, again},
		{"get", 502, "", again}, {"get", 504, "", again}, {"get", 429, "", again}, {"delete", 502, "", again},
		{"create", 502, "", once}, {"update", 504, "", once}, {"power", 502, "", once}, {"create", 429, "", once},
		{"get", 500, bodyBusy, again}, {"delete", 500, bodyBusy, again}, {"create", 500, bodyBusy, once}, {"power", 500, bodyBusy, once},
		{"update", 500, bodyBusy, again}, {"power off", 500, bodyBusy, again}, {"soft reboot", 500, bodyBusy, once}, {"console", 500, bodyBusy, again},
		{"boot mode", 500, bodyBusy, again}, {"maintenance", 500, bodyBusy, again}, {"interrupt", 500, bodyBusy, once}, {"vif", 500, bodyBusy, once},
		// What Ironic refuses once it was carried out is asked for again after an error, and never when no answer came.
		{iotronic.ProvisionActive, 500, bodyBusy, again}, {iotronic.ProvisionDeleted, 500, bodyBusy, again}, {iotronic.ProvisionManage, 500, bodyBusy, again},
		{iotronic.ProvisionActive, 502, "", once}, {iotronic.ProvisionActive, 500, "{}", once}, {iotronic.ProvisionActive, 503, bodyBusy, again},
		{iotronic.ProvisionClean, 500, bodyBusy, once}, {iotronic.ProvisionInspect, 500, bodyBusy, once}, {iotronic.ProvisionRebuild, 500, bodyBusy, once},
		{"get", 500, "{}", once}, {"get", 400, "{}", once}, {"get", 404, "{}", once}, {"get", 401, "{}", once},
	} {
		mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic), iotronic.WithRetries(again-1))
		var n atomic.Int32
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			n.Add(1)
			always(tt.status, tt.body)(w, r)
		})
		err := calls[tt.call](t.Context(), c)
		if iotronic.StatusOf(err) != tt.status || iotronic.IsLocked(err) != (tt.body == bodyLocked) {
			t.Errorf("%s: %v", tt.call, err)
		}
		if n.Load() != tt.tries {
			t.Errorf("%s, %d %.40s: %d tries, want %d", tt.call, tt.status, tt.body, n.Load(), tt.tries)
		}
		var e *iotronic.HTTPError
		if tt.body == bodyLocked && (!errors.As(err, &e) || !strings.Contains(e.Message, "is locked by host c1, please retry")) {
			t.Errorf("the message is lost: %v", err)
		}
	}
}

// TestRetryAfter: a server says how long to wait, with any status (§6, 7), and the answer of the try that worked
// counts.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, status := range []int{409, 429, 502, 503, 504} {
		mux, c := newMux(t, iotronic.WithRetryWait(time.Hour, time.Hour))
		var n atomic.Int32
		mux.HandleFunc("/v1/boards/b", func(w http.ResponseWriter, r *http.Request) {
			if n.Add(1) == 1 {
				always(status, bodyLocked, "Retry-After", "0")(w, r)
				return
			}
			always(200, `{"uuid": "1", "name": "b"}`)(w, r)
		})
		if b, err := c.Boards.Get(t.Context(), "b"); err != nil || b.Name != "b" || n.Load() != 2 {
			t.Errorf("%d: %v, %v after %d tries", status, b, err, n.Load())
		}
	}
	mux, c := newMux(t)
	mux.HandleFunc("/v1/boards/c", always(404, "{}", "Retry-After", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)))
	var e *iotronic.NotFoundError
	if _, err := c.Boards.Get(t.Context(), "c"); !errors.As(err, &e) || e.RetryAfter < time.Minute || e.RetryAfter > time.Hour {
		t.Errorf("%v", err)
	}
}

// TestLost: what may have been carried out is not sent again, and the error says so.
func TestLost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		call  func(*iotronic.Client) error
		tries int32
		maybe bool
	}{
		"get":    {func(c *iotronic.Client) error { return second(c.Nodes.Get(t.Context(), "x")) }, 3, false},
		"delete": {func(c *iotronic.Client) error { return c.Nodes.Delete(t.Context(), "x") }, 3, true},
		"create": {func(c *iotronic.Client) error { return second(c.Nodes.Create(t.Context(), iotronic.NodeCreate{})) }, 1, true},
		"reboot": {func(c *iotronic.Client) error { return c.Nodes.SetPower(t.Context(), "x", iotronic.Reboot) }, 1, true},
		"do":     {func(c *iotronic.Client) error { return second(c.Do(t.Context(), "PUT", "/nodes/x/vif", nil, nil)) }, 1, true},
	} {
		mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic), iotronic.WithRetries(2))
		var n atomic.Int32
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			n.Add(1)
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close() //nolint:errcheck,gosec // the loss
		})
		err := tt.call(c)
		if !is[*iotronic.ConnectionError](err) || strings.Contains(err.Error(), "may have been carried out") != tt.maybe || n.Load() != tt.tries {
			t.Errorf("%s: %v after %d tries", name, err, n.Load())
		}
	}
}

// TestRedirects: reading follows them within the server; nothing follows them elsewhere (§1.6).
func TestRedirects(t *testing.T) {
	t.Parallel()
	var leaked atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Store(true) }))
	t.Cleanup(other.Close)
	mux, c := newMux(t, iotronic.WithToken("t\n"), iotronic.WithRetries(0))
	mux.HandleFunc("GET /v1/boards/b", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/iot/v1/boards/c", http.StatusMovedPermanently)
	})
	mux.HandleFunc("GET /v1/boards/c", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Auth-Token") != "t" || r.Header.Get("X-OpenStack-Iotronic-API-Version") != "1.0" {
			t.Errorf("headers %v", r.Header)
		}
		always(200, `{"uuid": "1", "name": "c"}`)(w, r)
	})
	if b, err := c.Boards.Get(t.Context(), "b"); err != nil || b.Name != "c" {
		t.Errorf("%v, %v", b, err)
	}
	mux.HandleFunc("DELETE /v1/boards/b", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/iot/v1/boards/c", http.StatusFound)
	})
	mux.HandleFunc("GET /v1/boards/out", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/v1/boards/c", http.StatusFound)
	})
	mux.HandleFunc("GET /v1/boards/round", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/iot/v1/boards/round", http.StatusFound)
	})
	mux.HandleFunc("GET /v1/boards/plain", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://"+r.Host+"/v1/boards/c", http.StatusPermanentRedirect)
	})
	for want, err := range map[string]error{
		"302 Found":                                  c.Boards.Delete(t.Context(), "b"),
		other.URL + "/v1/boards/c":                   second(c.Boards.Get(t.Context(), "out")),
		"/iot/v1/boards/round":                       second(c.Boards.Get(t.Context(), "round")),
		"308 Permanent Redirect: <a href=\"https://": second(c.Boards.Get(t.Context(), "plain")),
	} {
		var e *iotronic.HTTPRedirectionError
		if !errors.As(err, &e) || e.Status/100 != 3 || !strings.Contains(err.Error(), want) || !wording.Has(err.Error(), "redirect ... not followed") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if leaked.Load() {
		t.Error("a redirect to another server was followed")
	}
}

// TestTimeout: the time is each try's own.
func TestTimeout(t *testing.T) {
	t.Parallel()
	mux, c := newMux(t, iotronic.WithTimeout(100*time.Millisecond), iotronic.WithRetries(1))
	mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err := c.Boards.Get(t.Context(), "b")
	if !is[*iotronic.ConnectionError](err) || !errors.Is(err, context.DeadlineExceeded) || !wording.Has(err.Error(), "100ms ... 2 times") {
		t.Errorf("error %v", err)
	}
}

// TestTLS: an API whose certificate nobody knows is refused, unless that is not looked at.
func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(always(200, `{"boards": []}`))
	server.Config.ErrorLog = discardLog // the handshake fails on purpose
	server.StartTLS()
	t.Cleanup(server.Close)
	for _, insecure := range []bool{false, true} {
		for name, option := range map[string]iotronic.Option{
			"TLS":      iotronic.WithTLS(iotronic.TLS{Insecure: insecure}),
			"Keystone": iotronic.WithKeystone(keystone.Config{Token: "t", Insecure: insecure}), // holds for the API too (§1.1)
		} {
			c := newClient(t, server.URL, iotronic.WithDialect(iotronic.DialectBoards), option)
			if _, err := c.Boards.List(t.Context(), iotronic.BoardListOptions{}); (err == nil) != insecure {
				t.Errorf("%s, insecure %v: %v", name, insecure, err)
			}
		}
	}
}

// TestDeleteLost: a delete whose answer was lost has worked if the next one finds nothing; after other answers nothing
// was there.
func TestDeleteLost(t *testing.T) {
	t.Parallel()
	for status, lost := range map[int]bool{http.StatusBadGateway: true, http.StatusGatewayTimeout: true, http.StatusServiceUnavailable: false, http.StatusNotFound: false, 0: true} {
		mux, c := newMux(t)
		var n atomic.Int32
		mux.HandleFunc("DELETE /v1/boards/{id}", func(w http.ResponseWriter, r *http.Request) {
			switch {
			case n.Add(1) > 1:
				always(http.StatusNotFound, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Board x could not be found.\"}"}`)(w, r)
			case status == 0:
				panic(http.ErrAbortHandler)
			default:
				always(status, `{"error_message": "x"}`)(w, r)
			}
		})
		if err := c.Boards.Delete(t.Context(), uuid); (err == nil) != lost || !lost && !iotronic.IsNotFound(err) {
			t.Errorf("%d: %v", status, err)
		}
		if err := c.Boards.Delete(t.Context(), uuid); !iotronic.IsNotFound(err) {
			t.Errorf("%d, a second time: %v", status, err)
		}
	}
}

// TestDeleteUnlocked: a node is removed where Ironic complains of the lock of one that was created at the same moment,
// if it is gone.
func TestDeleteUnlocked(t *testing.T) {
	t.Parallel()
	const complaint = `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Node 11111111-0000-4000-8000-111111111111 found not to be locked on release\"}"}`
	for _, gone := range []bool{true, false} {
		mux, c := newMux(t, iotronic.WithDialect(iotronic.DialectIronic))
		mux.HandleFunc("DELETE /v1/nodes/{id}", always(http.StatusBadRequest, complaint))
		found := always(http.StatusOK, `{"uuid": "`+uuid+`"}`)
		if gone {
			found = always(http.StatusNotFound, `{"error_message": "{\"faultcode\": \"Client\", \"faultstring\": \"Node x could not be found.\"}"}`)
		}
		mux.HandleFunc("GET /v1/nodes/{id}", found)
		if err := c.Nodes.Delete(t.Context(), uuid); (err == nil) != gone || !gone && !iotronic.IsBadRequest(err) {
			t.Errorf("gone: %v: %v", gone, err)
		}
	}
}

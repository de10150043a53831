package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/internal/value"
	"github.com/craton-fleet/craton/server/api"
	"github.com/craton-fleet/craton/server/internal/guard"
	"github.com/craton-fleet/craton/server/internal/peer"
	"github.com/craton-fleet/craton/server/keystone"
	"github.com/craton-fleet/craton/server/store"
)

// Options are the options of [Open].
type Options struct {
	Logger  *slog.Logger // for requests and failures; nil discards
	Create  bool         // create the file, or the tables, if they are missing
	Reading bool         // only [Server.Backup] is used: the schema is not migrated, and the database need not be writable
	Version string       // of the program, shown by /healthz and /v1/capabilities; may be empty
	Limits  Limits       // on the resources of requests; zero values are the defaults

	// Before the schema of an existing database is migrated, the database is backed up: see [store.Options]. The log
	// says where.
	Saves   string
	NoSaves bool

	FirstProject string // id of the project that [Server.Embedded] creates in a new file; "" for any

	PasswordFile string // file with the password for a PostgreSQL server
	Shown        bool   // other users can read the URL, as in a process list, so a password in it is refused

	// ReadDatabase is the URL of a PostgreSQL replica of the database: it serves read requests if it is as current as
	// they need. "" is none. The password file is used for both.
	ReadDatabase string
	ReadShown    bool          // other users can read that URL
	ReadLag      time.Duration // the replica is not used while it is further behind; default 10 seconds

	// HashedKeys are patterns of the keys of variables whose values the change log keeps only as a hash: * stands for
	// any text, and case does not matter.
	HashedKeys []string

	Logins Logins // limits on wrong logins

	// Quiet leaves successful read requests out of the log: writes, refused logins and failures stay.
	Quiet bool
	// Observe, if not nil, is called for every completed request. It must not block.
	Observe func(Observation)

	// TrustedProxies are addresses and networks (10.0.0.0/8) of proxies, or "unix" for clients of a Unix socket, whose
	// header names the client of a request; without any, the client is the other end of the connection. The header is
	// ProxyHeader, which all proxies must add to: X-Forwarded-For if empty, or Forwarded.
	TrustedProxies []string
	ProxyHeader    string
}

// Logins bound how often a client can guess credentials. Zero values are the defaults. docs/server.md explains what is
// counted.
type Logins struct {
	Failures   int           // wrong logins for one user from one address until it is refused; default 10. Below zero: no limit
	MaxLockout time.Duration // longest time that a client is refused; default 15 minutes
}

func (l Logins) guard() *guard.Guard {
	if l.Failures < 0 {
		return nil
	}
	return guard.New(guard.Options{Failures: cmp.Or(l.Failures, 10), MaxLockout: cmp.Or(l.MaxLockout, 15*time.Minute)})
}

// defaultReadLag is how far a replica may be behind by default.
const defaultReadLag = 10 * time.Second

func (o Options) store() store.Options {
	return store.Options{
		Create: o.Create, Reading: o.Reading, PasswordFile: o.PasswordFile, Shown: o.Shown, Saves: o.Saves, NoSaves: o.NoSaves, Program: o.Version,
		Replica: o.ReadDatabase, ReplicaShown: o.ReadShown, ReplicaLag: cmp.Or(o.ReadLag, defaultReadLag),
	}
}

// Limits bound the resources of requests. Zero is the default.
type Limits struct {
	Body      int64 // bytes of the largest request body; 1 MiB
	Variables int   // bytes of the own variables of one object, as stored; 1 MiB
	Memory    int64 // bytes of bodies and responses in progress, in memory; 64 MiB
	Temporary int64 // bytes of large responses in progress, on disk; 1 GiB
	Requests  int   // network requests that are processed at once; 512
}

// defaultRequests is the number of requests that are processed at once. The database has fewer connections; the other
// requests wait for those, or read bodies and write responses, so a higher number would only take memory.
const defaultRequests = 512

// api returns the limits of the API, store those of the database.
func (l Limits) api() api.Limits {
	d := api.DefaultLimits
	return api.Limits{Body: cmp.Or(l.Body, d.Body), Memory: cmp.Or(l.Memory, d.Memory), Temporary: cmp.Or(l.Temporary, d.Temporary)}
}

func (l Limits) store() store.Limits {
	d := store.DefaultLimits
	if l.Variables != 0 {
		d.Written = d.Written / d.Variables * l.Variables
		d.Variables = l.Variables
	}
	return d
}

// Server serves one database. It is safe for concurrent use.
type Server struct {
	store    *store.Store
	database string // without secrets
	log      *slog.Logger
	create   bool
	version  string
	limits   api.Limits

	firstProject string

	logins  Logins
	proxies peer.Proxies

	places   *places // of requests; nil without a limit
	quiet    bool
	observe  func(Observation)
	underWay atomic.Int64
	refused  atomic.Int64 // for lack of a place
	census   census
	keystone atomic.Pointer[keystone.Validator] // that authenticates clients, if there is one
}

// Open opens a database: "sqlite:PATH", or a libpq URL "postgres://USER@HOST/DATABASE".
//
// Without o.Create, a missing file, or a PostgreSQL database without tables, is an error that says how to begin and
// wraps [io/fs.ErrNotExist]. A created file is readable by its owner only (mode 0600). What is not a Craton database,
// or was written by a newer version, is refused and left as it is.
func Open(ctx context.Context, database string, o Options) (*Server, error) {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	proxies, err := peer.Parse(o.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	proxies.Header = o.ProxyHeader
	settings := o.store()
	settings.Saved = func(file string) {
		log.InfoContext(ctx, "backed up the database before migrating its schema", slog.String("backup", file))
	}
	used := "reads use the replica, where it is current enough"
	settings.ReplicaState = func(now store.ReplicaStats) { // by one goroutine at a time
		if now.Why == "" {
			log.InfoContext(ctx, used)
			used = "reads use the replica again, where it is current enough"
			return
		}
		log.WarnContext(ctx, "reads skip the replica; it is probed again", slog.String("reason", string(now.Why)), slog.String("detail", now.Detail))
	}
	settings.ClockBehind = func(by time.Duration) {
		log.WarnContext(ctx, "the newest change is dated later than this machine's clock: it is behind, or another server's was ahead; synchronize all of them with a time server (NTP). Until this clock is there, changes are dated as that one",
			slog.String("by", by.Round(time.Second).String()))
	}
	s, err := store.Open(ctx, database, settings)
	if err != nil {
		return nil, err
	}
	s.SetLimits(o.Limits.store())
	s.ConcealKeys(o.HashedKeys)
	if strings.Contains(database, "://") {
		database = s.Name()
	}
	return &Server{
		store: s, database: database, log: log, create: o.Create, firstProject: o.FirstProject, version: o.Version, limits: o.Limits.api(),
		logins: o.Logins, proxies: proxies,
		places: newPlaces(cmp.Or(o.Limits.Requests, defaultRequests)), quiet: o.Quiet, observe: o.Observe,
	}, nil
}

// Database returns the location that [Open] was called with, without secrets.
func (s *Server) Database() string { return s.database }

// Close waits for running operations and closes the database. Stop the [http.Server] first.
func (s *Server) Close() error { return s.store.Close() }

// EndWaits ends all requests that wait for changes, now and from now on: call it when the [http.Server] begins to stop.
func (s *Server) EndWaits() { s.store.EndWaits() }

// Retain deletes changes older than keep from the change log, until ctx ends: of these, only the creation of each
// object and its last change stay. The returned function waits for the end: call it before [Server.Close].
func (s *Server) Retain(ctx context.Context, keep time.Duration) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(min(max(keep/24, time.Minute), time.Hour))
		defer tick.Stop()
		for {
			if err := s.store.Prune(ctx, time.Now().Add(-keep)); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "old changes could not be removed from the change log; trying again later", slog.String("error", err.Error()))
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}()
	return func() { <-done }
}

// recordEvery is the interval for storing the last use of keys.
const recordEvery = 30 * time.Second

// RecordUses stores when API keys were last used, to the hour, until ctx ends. Requests do not wait for it. The
// returned function waits for the end: call it before [Server.Close].
func (s *Server) RecordUses(ctx context.Context) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(recordEvery)
		defer tick.Stop()
		for over := false; !over; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				over = true
			}
			storing, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordEvery/3)
			if err := s.store.RecordUses(storing); err != nil {
				s.log.WarnContext(ctx, "could not store when API keys were last used", slog.String("error", err.Error()))
			}
			cancel()
		}
	}()
	return func() { <-done }
}

// watchEvery is the interval for checking a database file.
const watchEvery = time.Second

// Watch checks the database file until ctx ends: see [store.Store.Watch]. Problems with the file, and their end, are
// logged. The returned function waits for the end: call it before [Server.Close].
func (s *Server) Watch(ctx context.Context) (wait func(), err error) {
	return s.store.Watch(ctx, watchEvery, func(err error) {
		if err != nil {
			s.log.ErrorContext(ctx, "the database file was moved, replaced or damaged; requests are refused", slog.String("error", err.Error()))
			return
		}
		s.log.InfoContext(ctx, "the database file is back in place")
	})
}

// Handler returns the whole API for a network: everything under /v1 with local authentication, and without
// authentication /healthz, which responds with 200 if the database does and with 500 if it does not, /livez, which
// always responds with 200, and /readyz, which also checks whether the database can be written.
//
// Every response has an x-openstack-request-id header. Each request is logged on one line: method, path (without the
// query, whose values may be secrets), status, duration, request id, user, project and the client's address; for a
// write also the id of the created object, the names of what changed and the revision; for a refused login the claimed
// user. Never a token or a value.
func (s *Server) Handler() http.Handler {
	return s.handler(s.api(s.guarded(api.Local(s.store), false)), "")
}

// KeystoneHandler is [Server.Handler] with Keystone tokens instead of API keys: the service type fleet_management of an
// OpenStack cloud. roles say what a token's roles allow in its project.
//
// The first request in a project creates it, with Keystone's id and name. The store's own users cannot log in, and none
// can be created.
func (s *Server) KeystoneHandler(v *keystone.Validator, roles keystone.Roles) http.Handler {
	s.keystone.Store(v)
	return s.handler(s.api(s.guarded(api.Keystone(s.store, v, roles), true)), fmt.Sprintf("Keystone uri=%q", v.URL()))
}

// Encrypted reports whether a request was encrypted on its whole way: it came over TLS, here or to a trusted proxy that
// says so.
func (s *Server) Encrypted(r *http.Request) bool { return s.proxies.Encrypted(r) }

// PageKeys returns the keys with which all servers of the database seal the cookies of the page, newest first: see
// [store.Store.PageKeys]. No backup contains them.
func (s *Server) PageKeys(ctx context.Context, age, kept time.Duration) ([]store.PageKey, error) {
	return s.store.PageKeys(ctx, age, kept)
}

// EndPage revokes a cookie of the page for all servers of the database: see [store.Store.EndPage].
func (s *Server) EndPage(ctx context.Context, id string, kept time.Duration) error {
	return s.store.EndPage(ctx, id, kept)
}

// PageEnded reports whether a cookie of the page was revoked: see [store.Store.PageEnded].
func (s *Server) PageEnded(ctx context.Context, id string, made time.Time) (bool, error) {
	return s.store.PageEnded(ctx, id, made)
}

// guarded delays and refuses clients that guess. byToken means that a token alone identifies the user.
func (s *Server) guarded(authenticate api.Authenticator, byToken bool) api.Authenticator {
	if g := s.logins.guard(); g != nil {
		return api.Guarded(authenticate, g, byToken, s.log)
	}
	return authenticate
}

func (s *Server) api(authenticate api.Authenticator) *api.API {
	return api.New(s.store, authenticate, s.log, s.limits, s.version)
}

// Embedded returns the same API for use within the process: no credentials, every request is root's, in the project
// with the given id. projectID "" means the only project of the database; with several it is an error that lists them,
// with none one is created, named "default", if [Options.Create] is set.
func (s *Server) Embedded(ctx context.Context, projectID string) (http.Handler, error) {
	id, err := s.chooseProject(ctx, projectID)
	if err != nil {
		return nil, err
	}
	root := api.Fixed(api.Caller{User: "root", Project: id, Role: schema.Root})
	return s.handler(s.api(root).Embedded(), ""), nil
}

// ErrProject is wrapped by an error of [Server.Embedded] if there is no project with the given id.
var ErrProject = errors.New("no such project")

// projectError is ErrProject with a longer message.
type projectError struct{ text string }

func (e *projectError) Error() string { return e.text }
func (e *projectError) Unwrap() error { return ErrProject }

// chooseProject finds the project that an embedded server works in.
func (s *Server) chooseProject(ctx context.Context, wanted string) (string, error) {
	all := store.Scope{All: true}
	if wanted != "" {
		id, ok := value.ParseUUID(wanted)
		if !ok {
			return "", &projectError{fmt.Sprintf("project %q is not a UUID", wanted)}
		}
		_, err := s.store.Get(ctx, store.Projects, all, id)
		if store.IsCode(err, store.NotFound) {
			return "", &projectError{fmt.Sprintf("%s has no project %s", s.store.Name(), id)}
		}
		return id, err
	}
	const shown = 20 // a longer list would not help
	page, err := s.store.List(ctx, store.Projects, all, store.List{Sort: []string{"created_at"}, Limit: shown + 1})
	if err != nil {
		return "", err
	}
	id, name := store.Projects.Index("id"), store.Projects.Index("name")
	switch {
	case len(page.Rows) == 1:
		return page.Rows[0][id].(string), nil
	case len(page.Rows) == 0 && s.create:
		return s.store.EnsureProject(ctx, "default", s.firstProject)
	case len(page.Rows) == 0:
		return "", fmt.Errorf("%s has no project yet: begin with `craton server bootstrap --database sqlite:%[1]s` or `craton apply FILE`", s.store.Name())
	}
	var list strings.Builder
	for i, row := range page.Rows {
		if i == shown {
			list.WriteString("\n  ...")
			break
		}
		fmt.Fprintf(&list, "\n  %s  %s", row[id], row[name])
	}
	return "", fmt.Errorf("%s has several projects: set OS_PROJECT_ID to one of%s", s.store.Name(), list.String())
}

// bootstrapName is the name of the first project and the first root user.
const bootstrapName = "bootstrap"

// Bootstrap is the result of [Server.Bootstrap].
type Bootstrap struct {
	ProjectID string // canonical UUID
	Username  string
	APIKey    string // empty if the user existed already
	Created   bool   // this call created the user
}

// Bootstrap creates the first project and the first root user, both named "bootstrap" (contract §1.2), or finds them.
// Only a hash of the API key is stored, so it is returned once; [Server.ResetKey] creates a new one.
func (s *Server) Bootstrap(ctx context.Context) (Bootstrap, error) {
	project, key, err := s.store.Bootstrap(ctx, bootstrapName)
	if err != nil {
		return Bootstrap{}, fmt.Errorf("bootstrap: %w", err)
	}
	return Bootstrap{ProjectID: project, Username: bootstrapName, APIKey: key, Created: key != ""}, nil
}

// ResetBootstrap is [Server.Bootstrap] for a lost key: the user gets a new key in the place of its first one. If the
// user no longer has the role root, it gets the role again, and all its other keys are revoked.
func (s *Server) ResetBootstrap(ctx context.Context) (Bootstrap, error) {
	b, err := s.Bootstrap(ctx)
	switch {
	case store.IsCode(err, store.Conflict):
		b.Username = bootstrapName
		if b.ProjectID, b.APIKey, err = s.store.MakeRoot(ctx, bootstrapName); err != nil {
			return Bootstrap{}, fmt.Errorf("bootstrap: %w", err)
		}
	case err == nil && !b.Created:
		b.APIKey, err = s.ResetKey(ctx, b.Username, b.ProjectID)
	}
	return b, err
}

// ResetKey gives a user a new API key in the place of its first one, which is revoked at once, and returns it. Other
// keys of the user stay. projectID may be empty if only one project has a user of that name.
func (s *Server) ResetKey(ctx context.Context, username, projectID string) (apiKey string, err error) {
	if projectID != "" {
		id, ok := value.ParseUUID(projectID)
		if !ok {
			return "", fmt.Errorf("new key for %q: project %q is not a UUID", username, projectID)
		}
		projectID = id
	}
	key, err := s.store.ResetKey(ctx, username, projectID)
	if err != nil {
		return "", fmt.Errorf("new key: %w", err)
	}
	return key, nil
}

// Schema returns the version of the schema that this program knows, and migrates a database to when it opens it.
func Schema() int { return store.Schema() }

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

// Options are what [Open] needs beside the database.
type Options struct {
	Logger  *slog.Logger // for requests and failures; nil discards
	Create  bool         // make the file, or the tables, if they are missing
	Version string       // of the program, shown by /healthz and /v1/capabilities; may be empty
	Limits  Limits       // of what requests may cost; zero values are the defaults

	// Before a newer version of the schema takes the place of an older one, the
	// database is saved: see [store.Options]. The log tells where.
	Saves   string
	NoSaves bool

	FirstProject string // the id of the project that [Server.Embedded] makes in a new file; "" for any

	PasswordFile string // that has the password of a PostgreSQL server, if the URL names one
	Shown        bool   // others can read the URL, as in a process list: a password in it is refused

	// ReadDatabase is a PostgreSQL server that follows the one of the database: requests that only read are answered from
	// there as far as it is as new as they need. "" is none. The password file is of both.
	ReadDatabase string
	ReadShown    bool          // others can read that URL
	ReadLag      time.Duration // behind the database by more than this it is passed by; 10 seconds

	// HashedKeys are patterns of variables' keys whose values the change log
	// keeps only as a hash: * stands for any text, and case does not matter.
	HashedKeys []string

	Logins Logins // when wrong ones are refused

	// Quiet leaves requests out of the log that have only read, and that were answered: what is written, refused
	// logins and failures stay.
	Quiet bool
	// Observe, if it is not nil, hears of every request when it has its answer. It must not wait.
	Observe func(Observation)

	// TrustedProxies are addresses and networks (10.0.0.0/8), or "unix" for who comes over a Unix socket, whose header says which client a request comes
	// from; without any it is the other end of the connection. The header is ProxyHeader, which all
	// of them must add to: X-Forwarded-For if empty, or Forwarded.
	TrustedProxies []string
	ProxyHeader    string
}

// Logins bound how often a client that guesses gets an answer. Zero values are
// the defaults. docs/server.md says what is counted.
type Logins struct {
	Failures   int           // wrong ones for one user from one address until it is refused; 10. Below zero: nobody ever is
	MaxLockout time.Duration // that anybody is refused at once; 15 minutes
}

func (l Logins) guard() *guard.Guard {
	if l.Failures < 0 {
		return nil
	}
	return guard.New(guard.Options{Failures: cmp.Or(l.Failures, 10), MaxLockout: cmp.Or(l.MaxLockout, 15*time.Minute)})
}

// defaultReadLag is how far a replica may be behind.
const defaultReadLag = 10 * time.Second

func (o Options) store() store.Options {
	return store.Options{
		Create: o.Create, PasswordFile: o.PasswordFile, Shown: o.Shown, Saves: o.Saves, NoSaves: o.NoSaves, Program: o.Version,
		Replica: o.ReadDatabase, ReplicaShown: o.ReadShown, ReplicaLag: cmp.Or(o.ReadLag, defaultReadLag),
	}
}

// Limits bound what requests may cost. Zero is the default.
type Limits struct {
	Body      int64 // bytes of the largest request body; 1 MiB
	Variables int   // bytes of the own variables of one object, as stored; 1 MiB
	Memory    int64 // bytes of bodies and answers under way in memory; 64 MiB
	Temporary int64 // bytes of large answers under way on disk; 1 GiB
	Requests  int   // that are worked on at once, for a network; 512
}

// defaultRequests is how many requests are worked on at once. The database has fewer connections; the others wait for
// those, or read bodies and write answers, so more of them would only take memory.
const defaultRequests = 512

// api are the limits of the API, store those of the database.
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

	places   *places // of requests; nil: there is no bound
	quiet    bool
	observe  func(Observation)
	underWay atomic.Int64
	refused  atomic.Int64 // for want of a place
	census   census
	keystone atomic.Pointer[keystone.Validator] // that says who asks
}

// Open opens a database: "sqlite:PATH", or "postgres://USER@HOST/DATABASE" in
// the way of libpq.
//
// Without o.Create a missing file, or a PostgreSQL database without tables, is
// an error that says how to begin and wraps [io/fs.ErrNotExist]. A file that is
// created can be read by its owner only (mode 0600). What is not a Craton
// database, or was written by a newer version, is refused and left as it is.
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
		log.InfoContext(ctx, "saved the database before its schema is brought up to date", slog.String("backup", file))
	}
	settings.ReplicaState = func(now store.ReplicaStats) {
		if now.Why == "" {
			log.InfoContext(ctx, "reads go to the read database where it is as new as they need")
			return
		}
		log.WarnContext(ctx, "reads pass the read database by; it is tried again", slog.String("reason", string(now.Why)), slog.String("detail", now.Detail))
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

// Database is what [Open] was given, without secrets.
func (s *Server) Database() string { return s.database }

// Close waits for running operations and closes the database. Stop the
// [http.Server] first.
func (s *Server) Close() error { return s.store.Close() }

// EndWaits answers all who wait for changes, and keeps nobody waiting from now
// on: call it when the [http.Server] begins to stop.
func (s *Server) EndWaits() { s.store.EndWaits() }

// Retain keeps the change log no longer than a time, until ctx ends: of what is
// older only the creation of each object and its last change stay. The function
// that it returns waits for the end: call it before [Server.Close].
func (s *Server) Retain(ctx context.Context, keep time.Duration) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(min(max(keep/24, time.Minute), time.Hour))
		defer tick.Stop()
		for {
			if err := s.store.Prune(ctx, time.Now().Add(-keep)); err != nil && ctx.Err() == nil {
				s.log.ErrorContext(ctx, "old changes could not be removed from the change log; it is tried again", slog.String("error", err.Error()))
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

// recordEvery is how often it is stored which keys were used.
const recordEvery = 30 * time.Second

// RecordUses stores when API keys were last used, to the hour, until ctx ends.
// Requests do not wait for it. The function that it returns waits for the end:
// call it before [Server.Close].
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
				s.log.WarnContext(ctx, "it could not be stored when API keys were used", slog.String("error", err.Error()))
			}
			cancel()
		}
	}()
	return func() { <-done }
}

// watchEvery is how often a served database file is looked after.
const watchEvery = time.Second

// Watch looks after the database file until ctx ends: see [store.Store.Watch].
// What is wrong with the file, and that it is right again, goes to the log.
// The function that it returns waits for the end: call it before [Server.Close].
func (s *Server) Watch(ctx context.Context) (wait func(), err error) {
	return s.store.Watch(ctx, watchEvery, func(err error) {
		if err != nil {
			s.log.ErrorContext(ctx, "the database file is not what it was; requests are refused", slog.String("error", err.Error()))
			return
		}
		s.log.InfoContext(ctx, "the database file is in its place again")
	})
}

// Handler returns the whole API for a network: everything under /v1 with
// local authentication, and without any /healthz, which answers 200 when the
// database does and 500 when it does not, /livez, which always answers 200, and
// /readyz, which asks whether the database can be written too.
//
// Every response has an x-openstack-request-id header. For each request one
// line is logged: method, path (without the query, whose values may be
// secrets), status, duration, request id, user, project and the client's
// address; of a write also the id that was made, the names of what it
// changed and its revision; of a refused login who was tried. Never a token or a value.
func (s *Server) Handler() http.Handler {
	return s.handler(s.api(s.guarded(api.Local(s.store), false)), "")
}

// KeystoneHandler is [Server.Handler] with tokens of Keystone instead of API
// keys: the service type fleet_management of an OpenStack cloud. roles say
// what a token's roles allow in its project.
//
// Projects are made by the first request in them, with Keystone's id and name.
// The store's own users cannot sign in, and none can be made.
func (s *Server) KeystoneHandler(v *keystone.Validator, roles keystone.Roles) http.Handler {
	s.keystone.Store(v)
	return s.handler(s.api(s.guarded(api.Keystone(s.store, v, roles), true)), fmt.Sprintf("Keystone uri=%q", v.URL()))
}

// Encrypted reports whether nobody between a client and the server reads a request along: it came over TLS, here or
// to a trusted proxy that says so.
func (s *Server) Encrypted(r *http.Request) bool { return s.proxies.Encrypted(r) }

// PageKeys are the keys with which all servers of the database seal the cookies
// of the page, the newest first: see [store.Store.PageKeys]. No backup has them.
func (s *Server) PageKeys(ctx context.Context, age, kept time.Duration) ([]store.PageKey, error) {
	return s.store.PageKeys(ctx, age, kept)
}

// EndPage ends a cookie of the page at all servers of the database, and
// PageEnded reports whether one was ended: see [store.Store.EndPage].
func (s *Server) EndPage(ctx context.Context, id string, kept time.Duration) error {
	return s.store.EndPage(ctx, id, kept)
}

// PageEnded is [store.Store.PageEnded].
func (s *Server) PageEnded(ctx context.Context, id string, made time.Time) (bool, error) {
	return s.store.PageEnded(ctx, id, made)
}

// guarded holds up who guesses. byToken tells that a token says whose it is.
func (s *Server) guarded(authenticate api.Authenticator, byToken bool) api.Authenticator {
	if g := s.logins.guard(); g != nil {
		return api.Guarded(authenticate, g, byToken, s.log)
	}
	return authenticate
}

func (s *Server) api(authenticate api.Authenticator) *api.API {
	return api.New(s.store, authenticate, s.log, s.limits, s.version)
}

// Embedded returns the same routes for the process that has the file: no
// credentials, every request is root's, in the project with the given id.
// projectID "" means the only project of the file; with several it is an
// error that lists them, with none one is made, named "default", if
// [Options.Create] is set.
func (s *Server) Embedded(ctx context.Context, projectID string) (http.Handler, error) {
	id, err := s.chooseProject(ctx, projectID)
	if err != nil {
		return nil, err
	}
	root := api.Fixed(api.Caller{User: "root", Project: id, Role: schema.Root})
	return s.handler(s.api(root).Embedded(), ""), nil
}

// ErrProject is what an error of [Server.Embedded] wraps if the file has no project with the given id.
var ErrProject = errors.New("no such project")

// projectError is one that says more.
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
	const shown = 20 // a message that lists more helps nobody
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

// bootstrapName is what the first project and the first root user are called.
const bootstrapName = "bootstrap"

// Bootstrap is the outcome of [Server.Bootstrap].
type Bootstrap struct {
	ProjectID string // canonical UUID
	Username  string
	APIKey    string // empty if the user existed already
	Created   bool   // the user was made by this call
}

// Bootstrap makes the first project and the first root user, both named
// "bootstrap" (contract §1.2), or finds them. The API key is stored as a hash
// only, so it is returned once; [Server.ResetKey] gives a new one.
func (s *Server) Bootstrap(ctx context.Context) (Bootstrap, error) {
	project, key, err := s.store.Bootstrap(ctx, bootstrapName)
	if err != nil {
		return Bootstrap{}, fmt.Errorf("bootstrap: %w", err)
	}
	return Bootstrap{ProjectID: project, Username: bootstrapName, APIKey: key, Created: key != ""}, nil
}

// ResetBootstrap is [Server.Bootstrap] for whoever has lost the key: the user gets a new one in the place of its first one. If
// somebody has taken the role root from it, it is root again, and all other keys of it end.
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

// ResetKey gives a user a new API key in the place of its first one, which ends
// at once, and returns it. Other keys of the user stay. projectID may be empty if only one project has a
// user of that name.
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

// Schema is the version of the schema that this program knows, and brings a database to when it opens it. A database with a higher one
// is refused ([ErrNewer]).
func Schema() int { return store.Schema() }

package metrics

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/craton-fleet/craton/internal/schema"
	"github.com/craton-fleet/craton/server"
	"github.com/craton-fleet/craton/server/store"
)

// Path is where metrics are served.
const Path = "/metrics"

// other stands for unknown routes and methods.
const other = "other"

// Metrics counts requests, and reads everything else from a server.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// New returns metrics of a program of the given version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "craton_http_requests_total", Help: "Requests that were answered, by route, method and status.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "craton_http_request_duration_seconds", Help: "Time until the whole answer was sent. A long poll of /v1/changes takes as long as it waits.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"route", "method"}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "craton_build_info", Help: "1, labelled with the version of the program and of Go."}, []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(m.requests, m.duration, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// methods are the HTTP methods that metrics name.
var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions}

// Observe counts a request.
func (m *Metrics) Observe(o server.Observation) {
	route, method := o.Route, o.Method
	if route == "" {
		route = other
	}
	if !slices.Contains(methods, method) {
		method = other
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(o.Status)).Inc()
	m.duration.WithLabelValues(route, method).Observe(o.Duration.Seconds())
}

// Watch adds the statistics of a server to the metrics.
func (m *Metrics) Watch(s *server.Server) { m.registry.MustRegister(&watched{s}) }

// Handler serves the metrics: to everybody, or, if key is not "", to clients that send it as a bearer token.
func (m *Metrics) Handler(key string) http.Handler {
	show := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 30 * time.Second})
	if key == "" {
		return show
	}
	want := sha256.Sum256([]byte(key))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(strings.TrimSpace(token)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="craton metrics"`)
			http.Error(w, "metrics need the key in metrics_key_file: send Authorization: Bearer KEY", http.StatusUnauthorized)
			return
		}
		show.ServeHTTP(w, r)
	})
}

// watched collects the statistics of a server.
type watched struct{ server *server.Server }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("craton_"+name, help, labels, nil)
}

var (
	underWay       = describe("http_requests_in_flight", "Requests in progress, including those that wait for changes.")
	refused        = describe("http_requests_refused_total", "Requests refused with 500 because max_requests were in progress.")
	up             = describe("database_up", "1 if the database answers, else 0.")
	connections    = describe("database_connections", "Connections to the database, by state: idle or in_use.", "state")
	maxConnections = describe("database_connections_max", "Highest number of connections to the database.")
	waits          = describe("database_waits_total", "How often a request waited for a connection to the database.")
	waited         = describe("database_wait_seconds_total", "Time that requests have waited for connections to the database.")
	retries        = describe("database_retries_total", "Repeated transactions, after conflicts or lost connections.")
	reads          = describe("reads_total", "Reads of the fleet, by the database that served them: primary or replica. Only with a replica.", "place")
	skippedReads   = describe("replica_passed_total", "Reads that skipped the replica, by reason.", "reason")
	replicaUp      = describe("replica_up", "1 while reads use the replica, 0 while all of them skip it.")
	lag            = describe("replica_lag_seconds", "Age of the oldest change that the replica does not have yet; 0 if it has all. Missing while the replica does not answer.")
	lagChanges     = describe("replica_lag_revisions", "Revisions that the replica does not have yet. Missing while it does not answer.")
	revision       = describe("revision", "Newest revision of the change log.")
	hosts          = describe("hosts", "Hosts, by the id of their project.", "project")
	netDevices     = describe("network_devices", "Network devices, by the id of their project.", "project")
	cache          = describe("cache_requests_total", "Lookups in a cache of the server, by cache and result: hit or miss.", "cache", "result")
)

// Describe implements [prometheus.Collector].
func (w *watched) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{underWay, refused, up, connections, maxConnections, waits, waited, retries, reads, skippedReads, replicaUp, lag, lagChanges, revision, hosts, netDevices, cache} {
		to <- d
	}
}

// censusTime is how long reading the database may take.
const censusTime = 20 * time.Second

// Collect implements [prometheus.Collector]. Values that an unavailable database does not provide are left out.
func (w *watched) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	counter := func(d *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
	}
	s := w.server.Stats()
	gauge(underWay, float64(s.UnderWay))
	counter(refused, float64(s.Refused))
	gauge(connections, float64(s.Database.InUse), "in_use")
	gauge(connections, float64(s.Database.Open-s.Database.InUse), "idle")
	gauge(maxConnections, float64(s.Database.Max))
	counter(waits, float64(s.Database.Waits))
	counter(waited, s.Database.Waited.Seconds())
	counter(retries, float64(s.Database.Retries))
	if r := s.Replica; r != nil {
		counter(reads, float64(r.Reads), "replica")
		counter(reads, float64(r.Others), "primary")
		for _, why := range store.Causes {
			counter(skippedReads, float64(r.Skipped[why]), string(why))
		}
		if r.Why == "" {
			gauge(replicaUp, 1)
		} else {
			gauge(replicaUp, 0)
		}
		if r.Probed {
			gauge(lag, r.Lag.Seconds())
			gauge(lagChanges, float64(r.Behind))
		}
	}
	for name, c := range s.Caches {
		counter(cache, float64(c.Hits), name, "hit")
		counter(cache, float64(c.Misses), name, "miss")
	}
	ctx, cancel := context.WithTimeout(context.Background(), censusTime)
	defer cancel()
	c, err := w.server.Census(ctx)
	if err != nil {
		gauge(up, 0)
		return
	}
	gauge(up, 1)
	gauge(revision, float64(c.Revision))
	for project, devices := range c.Devices {
		gauge(hosts, float64(devices[schema.Host.Name]), project)
		gauge(netDevices, float64(devices[schema.NetworkDevice.Name]), project)
	}
}

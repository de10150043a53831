// Package metrics shows what a [server.Server] does to Prometheus.
//
//	m := metrics.New(version)
//	s, err := server.Open(ctx, database, server.Options{Observe: m.Observe})
//	...
//	m.Watch(s)
//	http.Handle("/metrics", m.Handler(""))
//
// Requests are counted by the route that serves them, with <id> in the place of ids, and never by what a client has made
// up: unknown paths and methods are "other". Projects are called by their ids. No name, variable or key of a fleet is in
// any metric.
//
// It is a package of its own for its library, which the small build of the program does without.
package metrics

// Package metrics exports metrics of a [server.Server] to Prometheus.
//
//	m := metrics.New(version)
//	s, err := server.Open(ctx, database, server.Options{Observe: m.Observe})
//	...
//	m.Watch(s)
//	http.Handle("/metrics", m.Handler(""))
//
// Requests are counted by route, with <id> in the place of ids, and never by anything that a client can choose: unknown
// paths and methods are "other". Projects are identified by id. No name, variable or key of a fleet is in any metric.
//
// It is a separate package because of its library, which the small build of the program leaves out.
package metrics

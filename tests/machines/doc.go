// Package machines tries the server on several machines, as far as one machine can be several: PostgreSQL made highly
// available by Patroni with etcd, HAProxy before it and before two servers of craton, of which one comes through a
// pgbouncer and both read the machine that follows, each with directories and processes of its own, which are killed as
// a machine is that loses its power.
//
// `make machines` runs it. It needs Debian's postgresql-15, patroni, python3-etcd, etcd-server, haproxy and pgbouncer.
// docs/machines.md says what it shows, and its haproxy.cfg is the one that runs here. If CRATON_TEST_CRATONCLIENT is a
// Python that has cratonclient, the original Python client of Craton, which no index has any more, that writes too.
package machines

// Package machines tries the server on several machines, as far as one machine can be several: PostgreSQL made highly available
// by Patroni with etcd, HAProxy before it and before two servers of craton, each with directories and processes of its own, which
// are killed as a machine is that loses its power.
//
// `make machines` runs it. It needs Debian's postgresql-15, patroni, python3-etcd, etcd-server and haproxy. docs/machines.md says what it shows.
package machines

// Package servicetest runs services for tests, such as databases: on free ports of the loopback address, in temporary
// directories, as a user that is not root. A service and its directory go when the test process ends, however it does.
// Only tests and benchmarks import it.
//
//	d, err := servicetest.NewDirectory("etcd")
//	port, err := servicetest.FreePort()
//	p, err := d.Start(d.Command("/usr/bin/etcd", "--data-dir", d.File("data"), ...), "log")
//	err = p.WaitFor(fmt.Sprint("127.0.0.1:", port))
//
// What one directory runs is one process group: [Directory.Kill] ends all of it at once.
package servicetest

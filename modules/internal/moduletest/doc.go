// Package moduletest runs modules in tests as Ansible does: JSON in, JSON out. A [Front] stands before a real server
// and counts what is asked of it, so that a test can tell that nothing was written.
//
//	func TestMain(m *testing.M) { moduletest.Main(m) }
//
//	front := &moduletest.Front{Lookup: modules.Lookup}
//	url, done := front.Before(handler)
//	defer done()
//	front.Connection = moduletest.Args{"url": url}
//	front.OK(t, true, "craton_cloud", moduletest.Args{"name": "east"})
//	front.Fails(t, "craton_cloud", moduletest.Args{"names": "east"}, "Did you mean name")
package moduletest

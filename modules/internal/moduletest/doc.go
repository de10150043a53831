// Package moduletest runs modules in tests as Ansible does: JSON in, JSON out. A [Front] is a proxy of a real server
// that counts requests, so that a test can check that nothing was written.
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

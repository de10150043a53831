// Package web is the page to look at a fleet: what `craton ui` and `craton server` serve under /ui/. It reads only.
//
// It is a face, as the command line is: it reads through the v1 API by a client that has the rights of who looks, so
// that tenants, roles, terms, resolution and the past are the API's own. What it computes of several answers is what
// the command line computes too: packages provenance, snapshot, where and when.
//
//	handler := web.New(web.Options{Client: clientOf, Where: "sqlite:/srv/fleet.db"})
//
// # A page
//
// A page is a function that reads what it shows and gives a [view]: a title, the name of its template, the commands
// that print the same, and a document. The template shows the document, and the page's twin, at the same URL with .json
// behind the path, is the document itself. Templates are in templates, one a page, layout.html around all of them;
// assets holds the one stylesheet and the one module. What takes long is read when the beginning of the page is on its
// way: see view.Load.
//
// # The fleet is not trusted
//
// Templates escape whatever they show; there is no inline script or style, and the policy of every answer allows none.
// Characters that show nothing or turn the direction of writing are shown as escapes, names stand in elements of their
// own direction, and long values are cut: a page has at most 100 KB of HTML.
//
// # Who may look
//
// [Local] guards the page of one user on this machine: a token that works once for a cookie, and the Host header.
// [NewTeam] is the page of a server, whose users sign in: a sealed cookie holds their key, and each request signs in at
// the API again with it. The keys that seal cookies change: see [KeyTime].
package web

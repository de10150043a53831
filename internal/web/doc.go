// Package web is the web page that shows a fleet. `craton ui` and `craton server` serve it under /ui/. It changes
// nothing.
//
// Like the command line, it is a face: it reads through the v1 API with a client that has the rights of its user, so
// that projects, roles, terms, inheritance and past states are those of the API. What it computes from several
// responses comes from the packages that the command line uses too: provenance, snapshot, where and when.
//
//	handler := web.New(web.Options{Client: clientOf, Where: "sqlite:/srv/fleet.db"})
//
// # A page
//
// A page is a function that reads data and returns a [view]: a title, the name of its template, the commands that print
// the same, and a document. The template shows the document. The document itself is at the same URL with .json after
// the path. Templates are in the directory templates, one for each page, and layout.html is around all of them. The
// directory assets has the stylesheet and the JavaScript module. Slow parts are read after the beginning of the page
// has been sent: see view.Load.
//
// # The fleet is not trusted
//
// Templates escape everything that they show. There are no inline scripts or styles, and the content security policy of
// every response allows none. Invisible characters and those that change the direction of text are shown as escapes,
// names are in elements with their own direction, and long values are shortened: a page has at most 100 KB of HTML.
//
// # Access
//
// [Local] protects the page of one user on this machine: a token that can be exchanged once for a cookie, and a check
// of the Host header. [NewTeam] is the page of a server, whose users sign in. Their key is in an encrypted cookie, and
// each request authenticates to the API with it. The keys that encrypt cookies are rotated: see [KeyTime].
package web

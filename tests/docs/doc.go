// Package docs runs the pages of docs that are about Go: what a page tells readers to write is compiled and run against
// real services, and what it shows is compared with what that prints.
//
// docs/library.md is one program. A fenced block of go is part of it; a block of text right behind is what the block
// prints, and without one it prints nothing. In an output "..." stands for any text, as in package internal/page. Names
// that a block declares are known in the blocks below it up to the next heading; ctx, c (a *craton.Client) and client
// (an *iotronic.Client) are known everywhere, and c and client are what the page made of them last.
//
// In tables the last column, if its head is "Go", holds Go as well: calls, types and functions, which are compiled.
package docs

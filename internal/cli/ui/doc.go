// Package ui is `craton ui`: the page to look at the fleet (package web) for one user, on this machine. [New] gives the
// command.
package ui

// Package ui implements `craton ui`, which serves the fleet's web page (package web) to one user, on this machine.
// [New] returns the command.
package ui

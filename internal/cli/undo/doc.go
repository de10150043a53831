// Package undo implements `craton undo`, which shows what reversing a write would do, asks for confirmation, and sends
// the request. [New] returns the command.
package undo

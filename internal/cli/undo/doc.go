// Package undo is `craton undo`: it shows what taking a write back would do,
// asks, and has the server do it. [New] gives the command.
package undo

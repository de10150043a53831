// Package clitest provides a terminal for tests of commands.
package clitest

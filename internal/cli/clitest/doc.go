// Package clitest is a terminal for tests of what commands show on one.
package clitest

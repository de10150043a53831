package main

import (
	"errors"
	"fmt"
	"regexp"
)

// entry matches the heading of an entry in the changelog.
var entry = regexp.MustCompile(`(?m)^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$`)

// checkVersion reports whether a version is released according to the changelog: its newest entry is that of the
// version, with a date. With an Unreleased entry instead, the version must not have been released before.
func checkVersion(version, changelog string) (released bool, err error) {
	entries := entry.FindAllStringSubmatch(changelog, -1)
	switch {
	case len(entries) == 0:
		return false, errors.New("CHANGELOG.md has no entry, such as: ## [Unreleased]")
	case entries[0][1] == "Unreleased":
		if len(entries) > 1 && entries[1][1] == version {
			return false, fmt.Errorf("CHANGELOG.md has released %s and goes on with Unreleased: give the Makefile the next VERSION", version)
		}
		return false, nil
	case entries[0][1] != version:
		return false, fmt.Errorf("the newest entry of CHANGELOG.md is %s, and VERSION in the Makefile is %s: make them the same", entries[0][1], version)
	case entries[0][2] == "":
		return false, fmt.Errorf("the entry %s of CHANGELOG.md has no date: ## [%s] - YYYY-MM-DD", version, version)
	}
	return true, nil
}

// Package packages installs what make release makes, on a Debian: `make release-test`.
//
// It makes three versions, runs lintian and rpm's own tools over them, checks the bill of materials against the schema
// of CycloneDX, and installs, starts, upgrades, downgrades, removes and purges them by dpkg, and by rpm, in overlays
// over this machine's own root that are gone afterwards. In another one it does what docs/operate.md says. Where no
// systemd runs, the test starts what the unit says, as whom it says. It is root's, and takes a few minutes, so it is no
// part of make test.
package packages

// Command release builds everything that is published for a version, for make release:
//
//	release -version 0.1.0 -commit abc1234 -nfpm FILE [-sign-key FILE] [-o dist] [OS/ARCH]...
//
// It writes into the directory
//
//	craton_VERSION_OS_ARCH.tar.gz     the program, manual pages, completions, examples; linux and darwin, amd64 and arm64
//	craton_VERSION-1_ARCH.deb         the same as a package, with a user, a configuration file and a unit (directory package)
//	craton-VERSION-1.ARCH.rpm
//	craton-fleet-VERSION.tar.gz       the collection for Ansible
//	craton_VERSION.cdx.json           a CycloneDX bill of the modules in the program
//	SHA256SUMS, SHA256SUMS.sig        the checksums of all of these, and their signature if a key is given
//
// The same commit gives the same bytes in any directory: times are the commit's, or SOURCE_DATE_EPOCH.
//
// A version is named by both the Makefile and CHANGELOG.md. While the changelog's newest entry is Unreleased, the
// result is a snapshot, with a version that packages sort before 0.1.0 (0.1.0-snapshot.TIME.COMMIT); -release refuses
// it.
package main

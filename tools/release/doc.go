// Command release makes what is published of a version, for make release:
//
//	release -version 0.1.0 -commit abc1234 -nfpm FILE [-sign-key FILE] [-o dist] [OS/ARCH]...
//
// It writes into the folder
//
//	craton_VERSION_OS_ARCH.tar.gz     the program, manual pages, completions, examples; linux and darwin, amd64 and arm64
//	craton_VERSION-1_ARCH.deb         the same as a package, with a user, a configuration file and a unit (folder package)
//	craton-VERSION-1.ARCH.rpm
//	craton-fleet-VERSION.tar.gz       the collection for Ansible
//	craton_VERSION.cdx.json           a CycloneDX bill of the modules in the program
//	SHA256SUMS, SHA256SUMS.sig        the sums of all of these, and a signature of them if a key is named
//
// The same commit gives the same bytes in any folder: times are the commit's, or SOURCE_DATE_EPOCH.
//
// A version is what the Makefile and CHANGELOG.md both say. While the changelog's newest entry is Unreleased, what is
// made is a trial and says so in its version (0.1.0-snapshot.TIME.COMMIT), which packages take to be older than 0.1.0;
// -release refuses it.
package main

// Package varquery implements the "vars" filter of the Craton v1 API (contract §5.5):
//
//	vars=<path>:<json>[,<path>:<json>...]
//
// selects objects by their variables. [Parse] parses an expression into terms. A [Term] has the key of one variable,
// and decides whether its value matches, like MySQL 5.7 evaluates
//
//	JSON_CONTAINS(JSON_EXTRACT(value, path), json)
//
// A path begins with the variable's key, bare or in double quotes, and continues with .name, ."quoted name", .* (all
// members), [n] and [*] (all elements): role:"web", disks[0].size:100, tags[*]:"x", "odd-key"."v3.0":true. A path or
// value cannot contain a comma, and a path cannot contain a colon, because the expression is split at these first, like
// in the original server.
package varquery

// Package when parses times and durations as people type them, and revisions of a fleet. [Parse] accepts, in upper or
// lower case:
//
//	now
//	90s, 90m, 2h, 3d, 1w, 1d12h     ago; also "2h ago"
//	today, yesterday, 2026-11-20    the beginning of that day
//	today 09:30, 2026-11-20 09:30   that time of the day; with or without seconds, a T for the space, and a zone
//	2026-11-20T09:30:00+01:00       RFC 3339
//
// A time without a zone is in the zone of the caller's current time, which is the local one. A zone is Z, UTC, +01:00,
// a name such as Europe/Berlin, or what [Format] writes. The one exception is the format in which the API shows times,
// 2026-11-20T09:30:00.000000: it is in UTC there, and here too.
//
// A day means its beginning: the changes between "yesterday" and "today" are those that were made yesterday, and the
// fleet at "yesterday" is its state before yesterday's first change. Days and weeks are calendar days, so that 1d is
// the same time on the day before, even if that day had 23 hours; h, m and s are elapsed time. A local time that the
// clock of its zone skipped, or had twice, is refused.
//
// [ParseAt] also accepts revisions and cursors of a change log. [ParseFuture] parses times in the future, where 90d
// means 90 days from now.
package when

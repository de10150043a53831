// Package when reads moments as people type them, and names of states of a fleet. [Parse] takes, with or without
// capitals:
//
//	now
//	90s, 90m, 2h, 3d, 1w, 1d12h     ago; "2h ago" too
//	today, yesterday, 2026-11-20    the beginning of that day
//	today 09:30, 2026-11-20 09:30   that time of the day; with or without seconds, a T for the space, and a zone
//	2026-11-20T09:30:00+01:00       RFC 3339
//
// What has no zone is in that of the caller's now, which is the local one. A zone is Z, UTC, +01:00, a name such as
// Europe/Berlin, or what [Format] writes. The one exception is the form in which the API shows moments,
// 2026-11-20T09:30:00.000000: it is UTC there, and here too.
//
// A day stands for its first moment, wherever a moment is asked for: what lies between "yesterday" and "today" is what
// was done yesterday, and the fleet at "yesterday" is the one that yesterday's first change met. Days and weeks are
// those of the calendar, so that 1d is the same time of the day before, also where that day had 23 hours; h, m and s
// are what has passed. What the clock of a zone never showed, or showed twice, is refused.
//
// [ParseAt] takes revisions and cursors of a change log too, and [ParseAhead] moments that are to come, where 90d means
// from now on.
package when

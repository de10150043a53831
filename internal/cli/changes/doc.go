// Package changes is `craton changes`: what is done to the fleet, while it is done, as lines of JSON for programs.
// Package inventory/follow finds out which hosts feel it.
package changes

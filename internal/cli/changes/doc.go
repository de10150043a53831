// Package changes implements `craton changes`, which prints changes of the fleet as they happen, as lines of JSON for
// programs. Package inventory/follow determines which hosts they affect.
package changes

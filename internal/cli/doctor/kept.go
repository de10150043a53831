package doctor

import (
	"cmp"
	"fmt"
	"time"

	"github.com/craton-fleet/craton/internal/advice"
	"github.com/craton-fleet/craton/internal/settings"
	"github.com/craton-fleet/craton/internal/when"
	"github.com/craton-fleet/craton/inventory"
)

// adviceKept is the advice for a cached inventory that is unusable.
const adviceKept = "clear the cache with craton cache clear, or set cache_dir to another directory"

// checkKept checks the cached inventory. v and iv are nil if settings are invalid.
func (d *doctor) checkKept(v, iv *settings.Values) {
	const check = "cached inventory"
	if v == nil || iv == nil {
		return
	}
	k, err := inventory.KeepingOf(v, iv)
	switch {
	case k.Off && err == nil:
		d.ok(check, "none, because cache is off")
		return
	case err != nil && k.Needed:
		d.addError(check, err, adviceKept)
		return
	case err != nil:
		message, next := advice.Split(err)
		d.warn(check, cmp.Or(next, adviceKept), "every run reads the whole fleet: %s", message)
		return
	}
	left := ""
	if k.Stale > 0 {
		left = fmt.Sprintf("; used for %v while the server is unavailable (stale_if_error)", k.Stale)
	}
	switch {
	case k.Lost > 0:
		d.warn(check, "if that is intended, accept it: craton cache accept", "the last inventory was refused because it had lost %s (shrink_guard)", plural(k.Lost, "host"))
	case k.Hosts < 0 && k.Stale > 0:
		d.warn(check, "fill it once: craton inventory --list > /dev/null", "none yet in %s, so nothing can be used while the server is unavailable (stale_if_error)", k.Dir)
	case k.Hosts < 0:
		d.ok(check, "none yet in %s", k.Dir)
	case k.Stale > 0 && time.Since(k.Checked) > k.Stale:
		d.warn(check, "refresh it: craton inventory --list > /dev/null", "it is from %s, too old to be used while the server is unavailable (stale_if_error)", when.Format(k.Checked))
	default:
		d.ok(check, "%s, current at %s%s", plural(k.Hosts, "host"), when.Format(k.Checked), left)
	}
}

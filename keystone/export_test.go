package keystone

import "time"

// StopClock lets no time pass for an Auth, so that it does not know when tokens end.
func StopClock(a *Auth) {
	now := time.Now()
	a.now = func() time.Time { return now }
}

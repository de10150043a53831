//go:build !linux

package serve

import "github.com/coreos/go-systemd/v22/daemon"

// reloading returns what nobody hears where there is no systemd.
func reloading() string { return daemon.SdNotifyReloading }

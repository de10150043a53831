//go:build !linux

package serve

import "github.com/coreos/go-systemd/v22/daemon"

// reloading returns a message that nobody receives where there is no systemd.
func reloading() string { return daemon.SdNotifyReloading }

package show

import "fmt"

// Inherited describes what the change of a variable means for the objects that inherit it, which are hosts and network
// devices "of region dfw" or the like: for how many the value changes, and how many have a nearer value.
func Inherited(key, of string, hosts, networkDevices, shadowed int) string {
	line := fmt.Sprintf("%s changes on %s %s", Name(key), Devices(hosts, networkDevices), of)
	switch {
	case hosts+networkDevices == 0 && shadowed > 0:
		return fmt.Sprintf("%s changes on no device %s: %s", Name(key), of, own(shadowed, "all "))
	case shadowed > 0:
		line += "; " + own(shadowed, "")
	}
	return line
}

// own says how many have a nearer value.
func own(n int, all string) string {
	if n == 1 {
		return "1 has its own"
	}
	return fmt.Sprintf("%s%d have their own", all, n)
}

// Devices counts hosts and network devices.
func Devices(hosts, network int) string {
	text := Count(hosts, "host", "hosts")
	switch {
	case network > 0 && hosts == 0:
		return Count(network, "network device", "network devices")
	case network > 0:
		text += " and " + Count(network, "network device", "network devices")
	}
	return text
}

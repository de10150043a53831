package server

// Difference is one way in which this server differs from the original.
type Difference struct {
	ID       string
	Where    string // which requests
	Original string // what the original does
	Ours     string
	Reason   string
	// Recorded names the recorded exchanges that show it; the replay test
	// demands that exactly these differ.
	Recorded []string
}

// Differences is the whole list; docs/differences.md is made from it.
var Differences = []Difference{
	{ID: "put-missing", Recorded: []string{"cloud: update missing", "host: update missing"}},
	{ID: "put-duplicate", Recorded: []string{"cloud: update to duplicate name"}},
	{ID: "foreign-key", Recorded: []string{"region: unknown cloud", "host: unknown parent"}},
	{ID: "address-echo", Recorded: []string{"host: ipv6"}},
	{ID: "labels-in-lists", Recorded: []string{"netdev: list details", "host: list details own"}},
	{ID: "prev-link", Recorded: []string{"host: marker at end"}},
	{ID: "api-keys", Recorded: []string{"user: list", "user: get"}},
	{ID: "delete-refused", Recorded: []string{"host: delete parent refused"}},
	{ID: "ansible-inventory", Recorded: []string{"ansible inventory"}},
}

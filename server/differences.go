package server

import (
	"fmt"
	"strings"
)

// Difference is one difference between this server and the original.
type Difference struct {
	ID       string // stable, for tests and references
	Where    string // the requests concerned
	Original string // what the original server does
	Ours     string // what this server does
	Reason   string
	// Recorded names the recorded exchanges that show the difference. The replay test demands that exactly these
	// differ, each in this one way.
	Recorded []string
	// Headers are response headers that the original server never sends.
	Headers []string
}

const missingStatus = "An accidental 500 tells a client nothing, and makes it retry what cannot succeed."

// Differences is the complete list. docs/differences.md is generated from it, and a test replays recorded exchanges
// with the original server to prove that they show no other difference.
var Differences = []Difference{
	{
		ID: "put-missing", Where: "PUT of an id that does not exist",
		Original: "500", Ours: "404 `Not Found`", Reason: missingStatus,
		Recorded: []string{"cloud: update missing", "host: update missing"},
	},
	{
		ID: "put-duplicate", Where: "PUT that takes another object's name; POST of a network device, interface or user that exists",
		Original: "500", Ours: "409, with the message of the resource's POST", Reason: missingStatus,
		Recorded: []string{"cloud: update to duplicate name"},
	},
	{
		ID: "foreign-key", Where: "POST or PUT with the id of something that does not exist",
		Original: "500", Ours: "400 with the field and the id", Reason: missingStatus,
		Recorded: []string{"region: unknown cloud", "host: unknown parent"},
	},
	{
		ID: "bad-values", Where: "Any request",
		Original: "500 for: an integer parameter that is not an integer, a string longer than 255 characters, a JSON scalar as a PUT body, labels without `labels`, a non-empty `regions` or `cells` in POST, a vars filter without a colon or beginning with `$.`, `network_type`, an unknown sort key, NaN and Infinity, an id that should be a UUID but is not",
		Ours:     "400 with the reason (404 for a project id in the path that is not a UUID, 204 on its DELETE). JSON nested more than 512 levels deep is 400.",
		Reason:   missingStatus,
	},
	{
		ID: "texts", Where: "POST and PUT, of objects, labels and variables",
		Original: "Any text that JSON can contain, including NUL and the empty text; the numbers 1e400 and 1e-400 become Infinity, which is a 500, and 0",
		Ours:     "400 with the field, or the position in a variable, for: an empty name, label, device type or other required text; a control, zero-width or bidirectional character in any text except notes and values of variables; a NUL character or half a surrogate pair anywhere; a number that no IEEE double can represent, or an integer of more than 4,300 digits, which Python cannot read. Existing values can still be read, updated, and deleted.",
		Reason:   "Two names that look alike must be equal, no database or program may truncate or alter text, and Ansible would read a different number.",
	},
	{
		ID: "limits", Where: "Large requests and large data",
		Original: "No limits: bodies, variables, notes, labels and filters of any size",
		Ours:     "400 for a body over 1 MiB or with over 100,000 values, for variables of one object over 1 MiB or 10,000 keys, even if several writes add up to that, for a note over 65,535 bytes, over 256 labels, a URL over 32 KiB, and a `vars` filter with over 100 terms. A response over 512 MiB, or one that takes over two minutes, is 500 with a message; if there is no capacity for another large request, it is 500 with `Retry-After` (docs/server.md)",
		Reason:   "Any member could take the server down for everybody with one request.",
	},
	{
		ID: "guessing", Where: "Repeated requests with wrong keys or tokens",
		Original: "Each is looked up", Ours: "After ten different wrong keys for one user from one address (settings `login_failures`, `login_lockout`) 401 with `Retry-After`, without a lookup; before that, responses are delayed. A key that has been valid before, and one from an address without failures, are not affected (docs/server.md, \"Wrong keys\")",
		Reason: "Guessing must not cost other users anything. 429, which would fit, crashes the old client.",
	},
	{
		ID: "lookups", Where: "`clouds?name=` and `regions?name=` with several matches; `devices?descendants=true` of an unknown device; `projects?name=` with a marker",
		Original: "500", Ours: "409; 404; the page after the marker", Reason: missingStatus,
	},
	{
		ID: "isolation", Where: "Everything, for callers who are not root",
		Original: "An admin of any project can read and change all projects, any member can read any cell, and ids and markers of other projects are accepted",
		Ours:     "Only root sees other projects. Outside their own project, callers find nothing: 404, 204 on DELETE, 400 for an id or marker of another project. A project's admin reads the project and its variables, and manages its users, but may not delete a root user (401).",
		Reason:   "One role must not be enough to get at another project's fleet, or root's key.",
	},
	{
		ID: "last-root", Where: "DELETE of the last root user, or of its project",
		Original: "Deletes it; nobody can manage projects afterwards", Ours: "409 with that reason",
		Reason: "The database would have to be repaired by hand.",
	},
	{
		ID: "consistent-places", Where: "POST with `cloud_id`, `region_id`, `cell_id`, `parent_id`, `device_id`, `network_id`",
		Original: "Each may be the id of anything that exists", Ours: "All must belong to one project, and a region and cell to the given cloud and region; otherwise 400 with the field and the id",
		Reason: "Variables are resolved through these; inconsistent ones give a host the settings of another place, or of another project.",
	},
	{
		ID: "address-check", Where: "`ip_address` in POST and PUT of hosts, network devices and interfaces",
		Original: "Not validated: one invalid address makes every list that contains it fail with 500", Ours: "400 unless it is an IPv4 or IPv6 address",
		Reason: "One typing error must not break the whole list.",
	},
	{
		ID: "address-echo", Where: "`ip_address` in POST and PUT responses and as a filter",
		Original: "Responses repeat the text that was sent, and the filter compares that text; only GET normalizes it",
		Ours:     "The canonical form everywhere; the filter accepts any spelling", Reason: "The same address must always look the same.",
		Recorded: []string{"host: ipv6"},
	},
	{
		ID: "project-id-form", Where: "`project_id` in POST responses",
		Original: "The text from the X-Auth-Project header or the body", Ours: "The canonical dashed form, as in GET", Reason: "Clients compare these as text.",
	},
	{
		ID: "labels-in-lists", Where: "`details=true` on lists of hosts, network devices and devices",
		Original: "No labels: they cost one request per host", Ours: "Each element has its `labels`, sorted; GET and PUT of labels are sorted too",
		Reason:   "An inventory needs them, and one more request per host is most of its cost.",
		Recorded: []string{"netdev: list details", "host: list details own"},
	},
	{
		ID: "prev-link", Where: "The `prev` link of a list",
		Original: "On page two its marker is the id of the first row, so it skips that row", Ours: "It leads to the previous page; it equals `first` if that is the first page",
		Reason:   "Paging back must not lose rows.",
		Recorded: []string{"host: marker at end"},
	},
	{
		ID: "total-order", Where: "Lists with `sort_keys`",
		Original: "Rows that are equal in all keys are skipped at page boundaries; null values repeat a page forever or end the list",
		Ours:     "The id is always the last key, and nulls sort lowest: each row is on exactly one page. `variable_association_id` and `api_key` are not sort keys.",
		Reason:   "A list that loses rows is wrong.",
	},
	{
		ID: "api-keys", Where: "`api_key` of users",
		Original: "Stored in plain text, and shown to every project's admin in every representation", Ours: "Stored as a SHA-256 hash (of at least 122 random bits, which cannot be guessed), compared in constant time, shown once in the response to POST and null everywhere else",
		Reason:   "Reading the database, or listing users, must not be enough to impersonate them.",
		Recorded: []string{"user: list", "user: get"},
	},
	{
		ID: "delete-refused", Where: "DELETE of a device that is a parent, or of a network with interfaces",
		Original: "500", Ours: "409 with the object in the way", Reason: missingStatus,
		Recorded: []string{"host: delete parent refused"},
	},
	{
		ID: "delete-whole", Where: "DELETE of a cell, region, cloud or project",
		Original: "Cascades in the database engine's row order: sometimes complete, sometimes 500; variables remain",
		Ours:     "Everything inside is deleted in one transaction, including variables and labels. 409, naming it, if a device outside has a parent inside, or an interface outside is on a network inside.",
		Reason:   "A delete must happen completely or not at all.",
	},
	{
		ID: "case", Where: "Names, usernames, labels, variable keys",
		Original: "Compared with the database's collation: usually without regard to case and accents", Ours: "Compared exactly. Only the pattern of `projects?name=` ignores the case of ASCII letters.",
		Reason: "Ansible distinguishes `Web` from `web`, and two keys that differ in case are two variables.",
	},
	{
		ID: "path-ids", Where: "Ids in paths and markers",
		Original: "`2abc` means 2", Ours: "Only the canonical decimal form is an id", Reason: "`DELETE /v1/hosts/3abc` must not delete host 3.",
	},
	{
		ID: "exact-json", Where: "Values of variables",
		Original: "Numbers pass through the database engine: 1e400 is refused, large integers may lose digits", Ours: "The text of every number is preserved (1.0, 1e400, integers of up to 4,300 digits); if a key is repeated, the last value wins; nested keys are sorted",
		Reason: "What was set must be what is read.",
	},
	{
		ID: "vars-filter", Where: "The `vars` filter",
		Original: "`key:null` finds a null that replaced a value, but not one that was created as null; invalid JSON is 400 only if any variable exists",
		Ours:     "All nulls are equal, and invalid JSON is always 400. A negative index in a path is 400.", Reason: "The result must not depend on how a value was set.",
	},
	{
		ID: "composed-names", Where: "POST and PUT of a `name`, of labels and of variables",
		Original: "Any Unicode text: two names, labels or keys can look alike and differ",
		Ours:     "A new name, label or key must be in Unicode's composed form (NFC), otherwise 400 with the correct form. Existing ones in another form remain, and can be removed",
		Reason:   "Nobody can see or type the difference between `é` and an `e` with a combining accent, and a second run would create a second host.",
	},
	{
		ID: "small-things", Where: "Everywhere",
		Original: "A failed POST uses up an id; `::ffff:1.2.3.4` is written `::ffff:102:304`; everything requires credentials",
		Ours:     "A failed POST uses up none; it is written `::ffff:1.2.3.4`; `/healthz`, `/livez`, `/readyz` and `/metrics` require none (docs/server.md)",
		Reason:   "Each follows from how this server is built, and no client can depend on it.",
	},
	{
		ID: "move", Where: "POST of `hosts/ID/move`, `network-devices/ID/move` and `cells/ID/move`",
		Original: "404: nothing can be moved to another region or cell, and PUT with `region_id` or `cell_id` is 400",
		Ours:     "The object in its new place, with its id, variables, labels, interfaces and children; a cell keeps its devices and networks. It moves completely, or is refused, naming the conflict: 409 for a name that exists in the region, 400 for a place outside the project (docs/reference/beside-v1.md). PUT is still 400",
		Reason:   "Deleting a host and creating it again loses its id, and everything that refers to it.",
	},
	{
		ID: "capabilities", Where: "GET of `capabilities`",
		Original: "404",
		Ours:     "The server's additions to v1, its version, and the extent of its change log (docs/reference/beside-v1.md)",
		Reason:   "A client can ask once, and do without what is missing.",
	},
	{
		ID: "tags", Where: "GET of lists and objects; `If-None-Match`, `If-Match`",
		Original: "Ignored: every response is sent in full, and the last of two writers wins",
		Ours:     "Responses have an `ETag`, which changes whenever the response may, and `X-Craton-Revision`, the end of the change log. A GET with a matching `If-None-Match` is 304; PUT, DELETE and moves with `If-Match` are 412 unless it names the object's latest change (docs/reference/beside-v1.md). Without these headers nothing is different",
		Reason:   "A client need not read again what it has, and two people must not silently overwrite each other's work.",
		Headers:  []string{"Etag", "X-Craton-Revision", "Cache-Control"},
	},
	{
		ID: "read-revision", Where: "The header `X-Craton-Revision` of a GET, and of responses to writes",
		Original: "Ignored, and not sent",
		Ours:     "A write returns its revision. A GET with a revision is answered from a state that includes it, possibly from a replica that is some seconds behind; an invalid revision is 400. Without the header, a response includes everything acknowledged before (docs/reference/beside-v1.md)",
		Reason:   "So that clients that read a lot, and do not need the latest state, do not slow down writers.",
	},
	{
		ID: "at", Where: "`at` of a GET, and `concealed`, which says what to do with values that the change log has only as hashes",
		Original: "400: the parameters are unknown",
		Ours:     "The response as it would have been at that revision or time, from the change log; 410 before its beginning (docs/reference/beside-v1.md). For `users` it is 400, as in the original",
		Reason:   "What a run last week saw, and what existed before a mistake, must not be lost.",
	},
	{
		ID: "history", Where: "GET /v1/history, GET /v1/diff",
		Original: "404",
		Ours:     "What changed an object, newest first, with its resolved variables: inherited changes count, shadowed ones do not; deleted objects are included. The differences between two times, for one object or for all that the caller may see (docs/reference/beside-v1.md)",
		Reason:   "What changed since yesterday, and who did it, is the first question after a bad night.",
	},
	{
		ID: "fleet", Where: "GET of `fleet`",
		Original: "404: a fleet is read page by page, each page at a different time",
		Ours:     "Everything that the caller may see, or the contents of a place, as one snapshot in a stream of JSON lines, the last of which confirms that it is complete; with `text=`, only what may have a text (docs/reference/beside-v1.md)",
		Reason:   "A whole fleet must be consistent, and a thousand requests for it take longer than its data.",
	},
	{
		ID: "compression", Where: "GET with `Accept-Encoding`",
		Original: "Ignored",
		Ours:     "Responses of 2 KiB or more are compressed with zstd or gzip, whichever is preferred, and zstd if both are; every response to a GET has `Vary: Accept-Encoding`. python-requests, which the old client uses, asks for gzip and reads it",
		Reason:   "Lists of a fleet are repetitive: they shrink to a tenth.",
		Headers:  []string{"Content-Encoding", "Vary"},
	},
	{
		ID: "changes", Where: "GET /v1/changes; the header `X-Craton-Message` of writes",
		Original: "404; the header is ignored",
		Ours:     "What was done to which object, by whom, when, in which request and why, in the order of the commits, with the values before and after, as far as the caller may read the object (docs/reference/beside-v1.md). A message of over 1,024 bytes, or with a control character, is 400",
		Reason:   "Knowing who changed what, and undoing it, must not depend on memory.",
	},
	{
		ID: "undo", Where: "POST of `undo`",
		Original: "404: what was deleted is gone",
		Ours:     "A write, or all writes of a request, are reversed in one transaction: deleted objects are restored with ids, labels, parents, variables and interfaces. 409 if something was changed since (docs/reference/beside-v1.md)",
		Reason:   "A mistake must not cost a night's work.",
	},
	{
		ID: "ansible-inventory", Where: "GET /v1/ansible-inventory",
		Original: "Always 500", Ours: "The document that its generator was meant to produce, for all hosts without paging, in numeric order of addresses, IPv4 first. A host without a cell is in its region's group. If the group name of a region or cell is taken, the cloud's name is put in front; remaining conflicts, and two hosts with one address, are 409 naming both.",
		Reason:   "It is documented, but three bugs prevented it from working.",
		Recorded: []string{"ansible inventory"},
	},
	{
		ID: "keystone-roles", Where: "Behind Keystone: who may do what",
		Original: "Everyone without the role `admin` gets 401 on every request, and every `admin` of any project is root",
		Ours:     "In the token's project, `admin` is its admin, `member` a member, and `reader` only reads: anything else is 403. Other roles get 403 with the roles that are accepted. The admins of Keystone's admin project (its option `admin_project_name`) are root, and so are those named in the settings.",
		Reason:   "A role in one project must be usable there, and must not reach into another.",
	},
	{
		ID: "keystone-tokens", Where: "Behind Keystone: tokens that are not for a project, and projects whose id is not a UUID",
		Original: "500 on every request",
		Ours:     "An unscoped token, or one for a domain or the system, is 403 with a message that says which one to get. A project id that is not a UUID is converted to a name-based one (version 5), always the same; `project_id` is in the dashed form.",
		Reason:   missingStatus,
	},
	{
		ID: "keystone-projects", Where: "Behind Keystone: the project in its first request",
		Original: "Looked up, and created if it does not exist; its name is never updated", Ours: "Created once, however many requests arrive together, with its current name in Keystone",
		Reason: "Ansible's first run sends many requests at once, and people recognize projects by name.",
	},
	{
		ID: "keystone-users", Where: "Behind Keystone: POST /v1/users",
		Original: "Creates a user with an API key, which nothing uses", Ours: "403. Users that exist from local authentication can be listed and deleted",
		Reason: "The key would be valid on a server with local authentication on the same database, whatever Keystone has revoked.",
	},
	{
		ID: "keystone-down", Where: "Behind Keystone: when Keystone is unavailable",
		Original: "503, which crashes the Python client with a RecursionError", Ours: "500 with a message that says so. A token validated within `keystone_cache_time` remains valid.",
		Reason: "The message must reach the user.",
	},
}

// DifferencesMarkdown renders [Differences] as the page docs/differences.md.
func DifferencesMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Differences from the original server

<!-- Made from server/differences.go by "go test ./server -run TestDifferencesPage -update". Do not edit. -->

The server speaks the v1 API of OpenStack Craton. A test replays recorded
exchanges with the original and compares status, headers and every byte of the
bodies. All differences are deliberate; this is the complete list.
`)
	for _, d := range Differences {
		fmt.Fprintf(&b, "\n## %s\n\n* Original: %s\n* Here: %s\n* Why: %s\n* Id in tests and comments: `%s`\n", d.Where, stop(d.Original), stop(d.Ours), stop(d.Reason), d.ID)
	}
	return b.String()
}

// stop ends a sentence with a full stop.
func stop(s string) string { return strings.TrimSuffix(s, ".") + "." }

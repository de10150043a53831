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

const missingStatus = "A 500 does not say what is wrong, and clients retry the request although it cannot succeed."

// Differences is the complete list. docs/differences.md is generated from it, and a test replays recorded exchanges
// with the original server to prove that they show no other difference.
var Differences = []Difference{
	{
		ID: "put-missing", Where: "PUT of an id that does not exist",
		Original: "The response is 500.",
		Ours:     "The response is 404 `Not Found`.",
		Reason:   missingStatus,
		Recorded: []string{"cloud: update missing", "host: update missing"},
	},
	{
		ID: "put-duplicate", Where: "PUT with the name of another object; POST of a network device, interface or user that exists",
		Original: "The response is 500.",
		Ours:     "The response is 409, with the message that a POST of an existing object gets.",
		Reason:   missingStatus,
		Recorded: []string{"cloud: update to duplicate name"},
	},
	{
		ID: "foreign-key", Where: "POST or PUT with the id of an object that does not exist, such as `cloud_id`",
		Original: "The response is 500.",
		Ours:     "The response is 400, and names the field and the id.",
		Reason:   missingStatus,
		Recorded: []string{"region: unknown cloud", "host: unknown parent"},
	},
	{
		ID: "bad-values", Where: "Invalid values in any request",
		Original: "The response is 500 for each of these:\n    * an integer parameter that is not an integer\n    * a string longer than 255 characters\n    * a PUT whose body is a single value, such as a number\n    * a labels request without `labels`\n    * a POST with a non-empty `regions` or `cells`\n    * a `vars` filter that has no colon or begins with `$.`\n    * the filter `network_type`, and an unknown sort key\n    * the numbers NaN and Infinity\n    * an id that must be a UUID but is not",
		Ours:     "The response is 400 with the reason. For a project id in the path that is not a UUID, it is 404, and 204 on DELETE. JSON that is nested more than 512 levels deep is also 400.",
		Reason:   missingStatus,
	},
	{
		ID: "texts", Where: "Texts and numbers in POST and PUT",
		Original: "All text that JSON can contain is accepted, including NUL and empty text. The number 1e400 becomes Infinity, which is a 500, and 1e-400 becomes 0.",
		Ours:     "The response is 400, and names the field, or the position in a variable, for each of the following. Existing values can still be read, updated and deleted.\n    * an empty name, label, device type or other required text\n    * a control, zero-width or bidirectional character in any text except notes and values of variables\n    * a NUL character or half a surrogate pair in any text\n    * a number that no IEEE double can represent\n    * an integer of more than 4,300 digits, which Python cannot read",
		Reason:   "Two names that look alike must be equal, a database or program must not truncate or change text, and Ansible would read another number.",
	},
	{
		ID: "limits", Where: "Large requests and large data",
		Original: "Requests, variables, notes, labels and filters can have any size.",
		Ours:     "The response is 400 for a request beyond [these limits](server.md#what-a-request-may-cost):\n    * 1 MiB and 100,000 values in a body\n    * 1 MiB and 10,000 keys in the variables of one object, even if several writes add up to that\n    * 65,535 bytes in a note, and 256 labels on a device\n    * 32 KiB in a URL, and 100 terms in a `vars` filter\n* Here, for responses: A response of more than 512 MiB, or one that takes more than two minutes, is 500 with a message. If the server has no capacity for another large request, it responds with 500 and `Retry-After`.",
		Reason:   "Any member could make the server unavailable for everybody with a single request.",
	},
	{
		ID: "guessing", Where: "Repeated requests with wrong keys or tokens",
		Original: "The server looks up each key.",
		Ours:     "After a few wrong keys for one user from one address, responses are delayed. After ten, they are 401 with `Retry-After`, without a lookup. This affects neither keys that the server has accepted before nor keys from addresses without failures: see [Wrong keys](server.md#wrong-keys), also for the settings `login_failures` and `login_lockout`.",
		Reason:   "It must not be possible to guess keys, and guessing must not affect other users. The status is not 429, because it crashes python-cratonclient.",
	},
	{
		ID: "lookups", Where: "`clouds?name=` and `regions?name=` if several objects match; `devices?descendants=true` with an unknown parent; `projects?name=` with a marker",
		Original: "The response is 500 in all three cases.",
		Ours:     "The response is 409 if several objects match, and 404 for an unknown parent. With a marker, it is the page after the marker.",
		Reason:   missingStatus,
	},
	{
		ID: "isolation", Where: "All requests of users who are not root",
		Original: "An admin of any project can read and change all projects. Any member can read every cell. Ids and markers of other projects are accepted.",
		Ours:     "Only root can access other projects. For other users, objects of other projects do not exist: the response is 404, 204 on DELETE, and 400 for an id or marker of another project in a request. An admin can read the project and its variables, and manage its users, but cannot delete a root user (401).",
		Reason:   "A role in one project must not give access to another project, or to the key of root.",
	},
	{
		ID: "last-root", Where: "DELETE of the last root user, or of its project",
		Original: "The user is deleted, and nobody can manage projects afterwards.",
		Ours:     "The response is 409, and the message says that it is the last root user.",
		Reason:   "Without a root user, somebody would have to repair the database by hand.",
	},
	{
		ID: "consistent-places", Where: "POST with `cloud_id`, `region_id`, `cell_id`, `parent_id`, `device_id` or `network_id`",
		Original: "Each may be the id of any object.",
		Ours:     "All objects must belong to one project, the region to the given cloud, and the cell to the given region. Otherwise, the response is 400, and names the field and the id.",
		Reason:   "A host inherits variables through these ids. Inconsistent ones would give it the variables of another place, or of another project.",
	},
	{
		ID: "address-check", Where: "`ip_address` in POST and PUT of hosts, network devices and interfaces",
		Original: "The address is not validated. One invalid address makes every list that contains it fail with 500.",
		Ours:     "The response is 400 unless the value is an IPv4 or IPv6 address.",
		Reason:   "One typing mistake must not make lists fail.",
	},
	{
		ID: "address-echo", Where: "`ip_address` in responses to POST and PUT, and as a filter",
		Original: "Responses contain the text that was sent, and the filter compares that text. Only GET returns the canonical form.",
		Ours:     "All responses contain the canonical form, and the filter accepts every spelling.",
		Reason:   "An address must look the same everywhere.",
		Recorded: []string{"host: ipv6"},
	},
	{
		ID: "project-id-form", Where: "`project_id` in responses to POST",
		Original: "It is the text from the header X-Auth-Project or from the body.",
		Ours:     "It is the canonical form with dashes, as in GET.",
		Reason:   "Clients compare these ids as text.",
	},
	{
		ID: "labels-in-lists", Where: "`details=true` in lists of hosts, network devices and devices",
		Original: "The lists contain no labels. A client needs one request per host to read them.",
		Ours:     "Each element has its `labels`. Labels are sorted, here and in GET and PUT of labels.",
		Reason:   "An inventory needs the labels, and would spend most of its time on these requests.",
		Recorded: []string{"netdev: list details", "host: list details own"},
	},
	{
		ID: "prev-link", Where: "The `prev` link of a list",
		Original: "On the second page, the link skips the first object.",
		Ours:     "The link leads to the previous page. It equals `first` if that is the first page.",
		Reason:   "A client that goes back must not lose objects.",
		Recorded: []string{"host: marker at end"},
	},
	{
		ID: "total-order", Where: "Lists with `sort_keys`",
		Original: "Objects with equal values in all keys are skipped between pages. With null values, a page is repeated forever, or the list ends early.",
		Ours:     "The id is always the last key, and null sorts lowest, so each object is on exactly one page. `variable_association_id` and `api_key` are not accepted as sort keys.",
		Reason:   "A list must contain every object once.",
	},
	{
		ID: "api-keys", Where: "`api_key` of users",
		Original: "Keys are stored in plain text, and shown to the admins of every project in every response about users.",
		Ours:     "Only the SHA-256 hash of a key is stored. A key has at least 122 random bits, so it cannot be found from its hash. The response to POST shows the key once; in all other responses, it is null.",
		Reason:   "Whoever reads the database or lists users must not be able to use their keys.",
		Recorded: []string{"user: list", "user: get"},
	},
	{
		ID: "delete-refused", Where: "DELETE of a device that is a parent, or of a network with interfaces",
		Original: "The response is 500.",
		Ours:     "The response is 409, and names the object that prevents the delete.",
		Reason:   missingStatus,
		Recorded: []string{"host: delete parent refused"},
	},
	{
		ID: "delete-whole", Where: "DELETE of a cell, region, cloud or project",
		Original: "Contents are deleted in the order in which the database returns them. The delete sometimes succeeds and is sometimes 500, and variables remain.",
		Ours:     "All contents, with their variables and labels, are deleted in one transaction. If a device outside the place has a parent inside it, or an interface outside is on a network inside, the response is 409, and names that device or interface.",
		Reason:   "A delete must be complete, or change nothing.",
	},
	{
		ID: "case", Where: "Names, user names, labels and keys of variables",
		Original: "They are compared as the database is configured, usually without regard to case and accents.",
		Ours:     "They are compared exactly. Only the pattern of `projects?name=` ignores the case of ASCII letters.",
		Reason:   "Ansible distinguishes `Web` from `web`, and two keys that differ in case are two variables.",
	},
	{
		ID: "path-ids", Where: "Ids in paths and markers",
		Original: "`2abc` means 2.",
		Ours:     "An id must consist of digits only, without leading zeros.",
		Reason:   "`DELETE /v1/hosts/3abc` must not delete host 3.",
	},
	{
		ID: "exact-json", Where: "Values of variables",
		Original: "The database converts numbers: large integers may lose digits.",
		Ours:     "Numbers keep their text, such as 1.0 or an integer of 4,300 digits. If a key is repeated, the last value is used. Nested keys are sorted.",
		Reason:   "A response must contain the value that was set.",
	},
	{
		ID: "vars-filter", Where: "The `vars` filter",
		Original: "`key:null` finds a null that replaced another value, but not one with which a variable was created. Invalid JSON is 400 only if any variable exists.",
		Ours:     "`key:null` finds every null. Invalid JSON is always 400, and so is a negative index in a path.",
		Reason:   "The result must not depend on how a value was set.",
	},
	{
		ID: "composed-names", Where: "Names, labels and keys of variables in POST and PUT",
		Original: "Any Unicode text is accepted, so two names can look alike and differ.",
		Ours:     "A new name, label or key must be in Unicode's composed form (NFC). Otherwise, the response is 400, and contains the composed form. Existing names in another form remain, and can be deleted.",
		Reason:   "Nobody can see the difference between `é` and an `e` with a combining accent, so a second run of a playbook could create a second host.",
	},
	{
		ID: "small-things", Where: "Other details",
		Original: "A failed POST uses up an id. The address `::ffff:1.2.3.4` is written `::ffff:102:304`. All paths require credentials.",
		Ours:     "A failed POST uses up no id. The address is written `::ffff:1.2.3.4`. [`/healthz`, `/livez`, `/readyz` and `/metrics`](server.md#health-and-metrics) require no credentials.",
		Reason:   "No client can depend on these details.",
	},
	{
		ID: "ansible-inventory", Where: "GET of `ansible-inventory`",
		Original: "The response is always 500.",
		Ours:     "The response is the document that the original's code was meant to produce. It contains all hosts, without pages, in the numeric order of their addresses, IPv4 first. A host without a cell is in the group of its region. If the name of a region's or cell's group is already taken, the cloud's name is put in front of it. If that name is taken too, or two hosts have the same address, the response is 409, and names both.",
		Reason:   "The request is documented, but never worked because of three bugs.",
		Recorded: []string{"ansible inventory"},
	},
	{
		ID: "move", Where: "POST of `hosts/ID/move`, `network-devices/ID/move` and `cells/ID/move`",
		Original: "The response is 404. Nothing can be moved to another region or cell, and PUT with `region_id` or `cell_id` is 400.",
		Ours:     "The request [moves the object](reference/beside-v1.md#move). The object keeps its id, variables, labels, interfaces and children, and a cell keeps its devices and networks. If the name exists in the region, the response is 409; if the place is in another project, it is 400; in both cases, nothing is moved. PUT with `region_id` or `cell_id` is still 400.",
		Reason:   "If you delete a host and create it again, its id changes, and references to it are lost.",
	},
	{
		ID: "capabilities", Where: "GET of `capabilities`",
		Original: "The response is 404.",
		Ours:     "The response [describes the server](reference/beside-v1.md#capabilities): its additions to v1, its version, and the extent of its change log.",
		Reason:   "A client can find out what the server supports with one request.",
	},
	{
		ID: "tags", Where: "GET of lists and objects; the headers `If-None-Match` and `If-Match`",
		Original: "The headers are ignored. Every response is sent in full, and the last of two writers wins.",
		Ours:     "Responses have an [`ETag`](reference/beside-v1.md#etag), which changes whenever the response may change, and `X-Craton-Revision`, the end of the change log. A GET whose `If-None-Match` still matches is 304. PUT, DELETE and moves with an `If-Match` that does not name the latest change of the object are 412. Requests without these headers work as in the original.",
		Reason:   "A client does not have to read data again that has not changed, and two people cannot overwrite each other's changes unknowingly.",
		Headers:  []string{"Etag", "X-Craton-Revision", "Cache-Control"},
	},
	{
		ID: "read-revision", Where: "The header `X-Craton-Revision`",
		Original: "The header is ignored in requests, and not sent in responses.",
		Ours:     "The response to a write has the revision of the write. A GET with a revision in this header may be served by a replica that is some seconds behind, but [includes that revision](reference/beside-v1.md#how-recent-a-response-is). An invalid revision is 400. A GET without the header includes all writes that were acknowledged before.",
		Reason:   "Clients that read a lot, and do not need the latest state, do not slow down writers.",
	},
	{
		ID: "at", Where: "The parameters `at` and `concealed` of a GET",
		Original: "The response is 400, because the parameters are unknown.",
		Ours:     "With `at`, the response shows a [past state](reference/beside-v1.md#past-states), at a revision or time. Before the beginning of the change log, it is 410. `concealed` sets what happens to values that the change log has only as hashes. For `users`, both parameters are 400, as in the original.",
		Reason:   "You can find out what a run last week read, and what existed before a mistake.",
	},
	{
		ID: "history", Where: "GET of `history` and `diff`",
		Original: "The response is 404.",
		Ours:     "[`history`](reference/beside-v1.md#history) lists the changes of an object and its resolved variables, newest first. Changes of inherited variables are included, unless a nearer value shadows them; deleted objects have a history too. [`diff`](reference/beside-v1.md#differences) lists the differences between two times, for one object or for all that the caller may read.",
		Reason:   "When something fails, the first question is what changed, and who changed it.",
	},
	{
		ID: "fleet", Where: "GET of `fleet`",
		Original: "The response is 404. A client reads a fleet page by page, and each page shows a different time.",
		Ours:     "The response is a [snapshot of everything](reference/beside-v1.md#fleet) that the caller may read, or of the contents of a place. It is a stream of JSON lines; the last line confirms that the stream is complete. With `text=`, it contains only the objects that may have this text.",
		Reason:   "A copy of a fleet must be consistent. A thousand requests take longer than the data itself.",
	},
	{
		ID: "compression", Where: "GET with `Accept-Encoding`",
		Original: "The header is ignored.",
		Ours:     "Responses of 2 KiB or more are [compressed](reference/beside-v1.md#compression) with zstd or gzip, whichever the client prefers; without a preference, with zstd. All responses to GET have `Vary: Accept-Encoding`. python-cratonclient accepts gzip.",
		Reason:   "Lists of a fleet repeat a lot of text, so compression reduces them to a tenth.",
		Headers:  []string{"Content-Encoding", "Vary"},
	},
	{
		ID: "changes", Where: "GET of `changes`; the header `X-Craton-Message` of writes",
		Original: "GET is 404, and the header is ignored.",
		Ours:     "The response lists [all changes](reference/beside-v1.md#the-change-log) of objects that the caller may read, in the order of the commits: who changed what, when, with which request and message, and the values before and after. The header is the message of a write; more than 1,024 bytes or a control character in it is 400.",
		Reason:   "You can find out who changed what, and why.",
	},
	{
		ID: "undo", Where: "POST of `undo`",
		Original: "The response is 404. Nothing can be restored.",
		Ours:     "The request [reverses a write](reference/beside-v1.md#undo), or all writes of a request, in one transaction. Deleted objects are restored with their ids, labels, parents, variables and interfaces. If an object was changed since, the response is 409.",
		Reason:   "You can correct a mistake in seconds.",
	},
	{
		ID: "keystone-roles", Where: "With Keystone: what a role allows",
		Original: "Users without the role `admin` get 401 on every request. An `admin` of any project is root.",
		Ours:     "In the project of the token, `reader` may read, `member` may also write, and `admin` may also read the project and change its variables. Anything else is 403. Users with other roles get 403, with a list of the accepted roles. Admins of Keystone's admin project (its option `admin_project_name`) are root, and so are those that [the settings](server.md#what-a-role-allows) name.",
		Reason:   "Roles other than `admin` must be usable, and a role in one project must not give access to another.",
	},
	{
		ID: "keystone-tokens", Where: "With Keystone: tokens that are not for a project, and projects whose id is not a UUID",
		Original: "The response is 500 to every request.",
		Ours:     "An unscoped token, or one for a domain or the system, is 403 with a message that says which token to request. A project id that is not a UUID is converted to a name-based UUID (version 5), which is always the same. `project_id` has the form with dashes.",
		Reason:   missingStatus,
	},
	{
		ID: "keystone-projects", Where: "With Keystone: the first request of a project",
		Original: "The project is created if it does not exist. Its name is never updated.",
		Ours:     "The project is created once, even if many requests arrive at the same time. It has the project's current name in Keystone.",
		Reason:   "Ansible's first run sends many requests at the same time. Names are easier to recognize than ids.",
	},
	{
		ID: "keystone-users", Where: "With Keystone: POST of `users`",
		Original: "The request creates a user with an API key, which cannot be used.",
		Ours:     "The response is 403. Users that exist from local authentication can be listed and deleted.",
		Reason:   "The key would be valid on a server with local authentication on the same database, even if Keystone has disabled the user.",
	},
	{
		ID: "keystone-down", Where: "With Keystone: when Keystone is unavailable",
		Original: "The response is 503, which crashes python-cratonclient with a RecursionError.",
		Ours:     "The response is 500, with a message that says so. A token that was validated less than `keystone_cache_time` seconds ago is still accepted.",
		Reason:   "The user must see the message.",
	},
}

// DifferencesMarkdown renders [Differences] as the page docs/differences.md.
func DifferencesMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Differences from the original server

<!-- Made from server/differences.go by "go test ./server -run TestDifferencesPage -update". Do not edit. -->

` + "`craton server`" + ` has the v1 API of OpenStack Craton, except for the differences on this page. All of them are deliberate, and for v1 itself the list is complete.
A test replays recorded requests to the original server, and compares the status, the headers and every byte of the bodies.

The page begins with requests that the original has, continues with the main additions to v1 ([all of them](reference/beside-v1.md)), and ends with Keystone.
The id of a difference is used in the source code.
`)
	for _, d := range Differences {
		fmt.Fprintf(&b, "\n## %s\n\n* Original: %s\n* Here: %s\n* Why: %s\n* Id: `%s`\n", d.Where, d.Original, d.Ours, d.Reason, d.ID)
	}
	return b.String()
}

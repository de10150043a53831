package server

import (
	"fmt"
	"strings"
)

// Difference is one way in which this server differs from the original.
type Difference struct {
	ID       string // stable, for tests and references
	Where    string // the requests concerned
	Original string // what the original server does
	Ours     string // what this one does
	Reason   string
	// Recorded names the recorded exchanges that show the difference. The
	// replay test demands that exactly these differ, each in this one way.
	Recorded []string
	// Headers are those of answers that the original never sends.
	Headers []string
}

const missingStatus = "An accidental 500 tells a client nothing, and makes it repeat what cannot succeed."

// Differences is the whole list. docs/differences.md is made from it, and a
// test replays recorded exchanges with the original to prove that there are
// no others among these.
var Differences = []Difference{
	{
		ID: "put-missing", Where: "PUT of an id that is not there",
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
		Original: "500", Ours: "400 that names the field and the id", Reason: missingStatus,
		Recorded: []string{"region: unknown cloud", "host: unknown parent"},
	},
	{
		ID: "bad-values", Where: "Any request",
		Original: "500 for: an integer parameter that is none, a string longer than 255 characters, a JSON scalar as a PUT body, labels without `labels`, a non-empty `regions` or `cells` in POST, a vars filter without a colon or beginning with `$.`, `network_type`, a sort key that is no column, NaN and Infinity, an id that is no UUID where one is due",
		Ours:     "400 that says what is wrong (404 for a project id in the path that is no UUID, 204 on its DELETE). JSON nested over 512 levels is 400.",
		Reason:   missingStatus,
	},
	{
		ID: "texts", Where: "POST and PUT, of objects, labels and variables",
		Original: "Any text that JSON can hold; NUL and the empty text too; the numbers 1e400 and 1e-400 become Infinity, which is a 500, and 0",
		Ours:     "400 that names the field, or where in a variable, for: an empty name, label, device type or other required text; a control character, one of zero width or of bidirectional writing in any text but notes and what variables hold; a NUL character or half a surrogate pair anywhere; a number that no IEEE double holds, or an integer of more than 4,300 digits, which Python does not read. What is there already can be read, updated, and deleted.",
		Reason:   "Two names that look alike must be one, no database or program must cut or alter a text, and Ansible would read another number.",
	},
	{
		ID: "limits", Where: "Large requests, and what they leave behind",
		Original: "No limits: bodies, variables, notes, labels and filters of any size",
		Ours:     "400 for a body over 1 MiB or with over 100,000 values, for variables of one object over 1 MiB or 10,000 keys, however many writes bring them, for a note over 65,535 bytes, over 256 labels, a URL over 32 KiB, and a `vars` filter of over 100 terms. An answer over 512 MiB, or one that takes over two minutes, is 500 with a message; more large requests at once than there is room for are 500 with `Retry-After` (docs/server.md)",
		Reason:   "Any member could end the server for all with one request.",
	},
	{
		ID: "guessing", Where: "Requests with wrong keys or tokens, again and again",
		Original: "Each is looked up", Ours: "After ten different wrong ones for a user from an address (settings `login_failures`, `login_lockout`) 401 with `Retry-After`, without a look; before that the answer takes longer. A key that has been right, and one from an address that has not failed, is not held up (docs/server.md, \"Wrong keys\")",
		Reason: "Who guesses must cost nobody else anything. 429, which would fit, is what the old client dies of.",
	},
	{
		ID: "lookups", Where: "`clouds?name=` and `regions?name=` that several objects match; `devices?descendants=true` of an unknown device; `projects?name=` with a marker",
		Original: "500", Ours: "409; 404; the page after the marker", Reason: missingStatus,
	},
	{
		ID: "isolation", Where: "Everything, for callers who are not root",
		Original: "An admin of any project reads and changes all projects, any member reads any cell, foreign keys and markers reach into other projects",
		Ours:     "Only root sees other projects. Outside its project a caller finds nothing: 404, 204 on DELETE, 400 for a foreign key or marker. A project's admin reads its own project and its variables, and manages its own project's users, but may not delete a root user (401).",
		Reason:   "A tenant's fleet, and root's key, must not be a role away.",
	},
	{
		ID: "last-root", Where: "DELETE of the last root user, or of its project",
		Original: "Deletes it; nobody can manage projects any more", Ours: "409 that says so",
		Reason: "The database would have to be mended by hand.",
	},
	{
		ID: "consistent-places", Where: "POST with `cloud_id`, `region_id`, `cell_id`, `parent_id`, `device_id`, `network_id`",
		Original: "Each may name anything that exists (hole 8)", Ours: "All must belong to one project, and a region and cell to the cloud and region named beside them; otherwise 400 naming the field and the id",
		Reason: "Variables resolve through these; contradicting ones give a host another place's, or another tenant's, settings.",
	},
	{
		ID: "address-check", Where: "`ip_address` in POST and PUT of hosts, network devices and interfaces",
		Original: "Not validated: one bad address makes every list with it a 500", Ours: "400 unless it is an IPv4 or IPv6 address",
		Reason: "One typing error must not take the whole list away.",
	},
	{
		ID: "address-echo", Where: "`ip_address` in POST and PUT answers and as a filter",
		Original: "Answers repeat the text that was sent, and the filter compares that text; only GET normalises",
		Ours:     "The canonical form everywhere, and the filter takes any spelling", Reason: "An address has one identity.",
		Recorded: []string{"host: ipv6"},
	},
	{
		ID: "project-id-form", Where: "`project_id` in POST answers",
		Original: "The text of the X-Auth-Project header or of the body", Ours: "The canonical dashed form, as in GET", Reason: "Clients compare these as text.",
	},
	{
		ID: "labels-in-lists", Where: "`details=true` on lists of hosts, network devices and devices",
		Original: "No labels: they cost a request a host", Ours: "Each element has its `labels`, sorted; GET and PUT of labels are sorted too",
		Reason:   "An inventory needs them, and one more request a host is the most of its cost.",
		Recorded: []string{"netdev: list details", "host: list details own"},
	},
	{
		ID: "prev-link", Where: "The `prev` link of a list",
		Original: "On page two it has the first row's id as its marker, so that it skips that row", Ours: "It leads to the page before; it equals `first` if that is the first page",
		Reason:   "Paging back must not lose rows.",
		Recorded: []string{"host: marker at end"},
	},
	{
		ID: "total-order", Where: "Lists with `sort_keys`",
		Original: "Rows that are equal in all keys are skipped at a page's border; null values repeat a page for ever or end the list",
		Ours:     "The id is always the last key, and nulls are lowest: each row is on exactly one page. `variable_association_id` and `api_key` are no sort keys.",
		Reason:   "A list that loses rows is wrong.",
	},
	{
		ID: "api-keys", Where: "`api_key` of users",
		Original: "Stored in clear, and shown to every project's admin in every representation", Ours: "Stored as a SHA-256 hash (of 122 or more random bits, which cannot be guessed), compared in constant time, shown once in the answer to POST and null everywhere else",
		Reason:   "Who reads the database, or lists users, must not become them.",
		Recorded: []string{"user: list", "user: get"},
	},
	{
		ID: "delete-refused", Where: "DELETE of a device that is a parent, or of a network with interfaces",
		Original: "500", Ours: "409 that names what is in the way", Reason: missingStatus,
		Recorded: []string{"host: delete parent refused"},
	},
	{
		ID: "delete-whole", Where: "DELETE of a cell, region, cloud or project",
		Original: "Cascades by the engine's row order: sometimes whole, sometimes 500; variables stay behind",
		Ours:     "Everything inside goes in one transaction, variables and labels too. 409, naming it, if a device outside has a parent inside or an interface outside is on a network inside.",
		Reason:   "A delete is done or it is not.",
	},
	{
		ID: "case", Where: "Names, usernames, labels, variable keys",
		Original: "Compared as the database's collation does: usually without regard to case and accents", Ours: "Compared exactly. Only the pattern of `projects?name=` ignores the case of ASCII letters.",
		Reason: "Ansible tells `Web` from `web`, and two keys that differ in case are two variables.",
	},
	{
		ID: "path-ids", Where: "Ids in paths and markers",
		Original: "`2abc` means 2", Ours: "Only the canonical decimal form names anything", Reason: "`DELETE /v1/hosts/3abc` must not delete host 3.",
	},
	{
		ID: "exact-json", Where: "Values of variables",
		Original: "Numbers pass through the engine: 1e400 is refused, large integers may lose digits", Ours: "The text of every number is kept (1.0, 1e400, integers of up to 4,300 digits); of a repeated key the last value wins; nested keys are sorted",
		Reason: "What was set is what is read.",
	},
	{
		ID: "vars-filter", Where: "The `vars` filter",
		Original: "`key:null` finds a null that replaced a value but not one that was created so; invalid JSON is 400 only if any variable exists",
		Ours:     "A null is a null, and invalid JSON is always 400. A negative index in a path is 400.", Reason: "How a value came to be is not part of it.",
	},
	{
		ID: "composed-names", Where: "POST and PUT of a `name`, of labels and of variables",
		Original: "Any Unicode text: two names, labels or keys that look alike are two",
		Ours:     "A name, a label or a key that is written must be in Unicode's composed form (NFC): 400 names the one that looks like it. What is there in another form stays, and can be taken away",
		Reason:   "Nobody sees or types the difference between `é` and an `e` with an accent behind it, and a second run would make a second host.",
	},
	{
		ID: "small-things", Where: "Everywhere",
		Original: "A failed POST uses up an id; `::ffff:1.2.3.4` is written `::ffff:102:304`; nothing answers without credentials",
		Ours:     "It does not; it is written `::ffff:1.2.3.4`; `/healthz`, `/livez`, `/readyz` and `/metrics` do (docs/server.md)",
		Reason:   "Each follows from how this server is built, and no client can depend on it.",
	},
	{
		ID: "move", Where: "POST of `hosts/ID/move`, `network-devices/ID/move` and `cells/ID/move`",
		Original: "404: nothing can be moved to another region or cell, and PUT with `region_id` or `cell_id` is 400",
		Ours:     "The object in its new place, with its id, variables, labels, interfaces and children; a cell takes its devices and networks along. Whole, or refused, naming one thing: 409 for a name that the region has, 400 for a place outside the project (docs/reference/beside-v1.md). PUT is 400, as it was",
		Reason:   "To delete a host and make it anew loses its id, and what refers to it.",
	},
	{
		ID: "capabilities", Where: "GET of `capabilities`",
		Original: "404",
		Ours:     "What the server has beside v1, its version, and how far its change log reaches (docs/reference/beside-v1.md)",
		Reason:   "A client asks once, and does without where there is nothing.",
	},
	{
		ID: "tags", Where: "GET of lists and objects; `If-None-Match`, `If-Match`",
		Original: "Not looked at: every answer is whole, and the last of two writers wins",
		Ours:     "Answers have an `ETag`, which is another one as soon as the answer may be, and `X-Craton-Revision`, where the change log ends. A GET with `If-None-Match` and that tag is 304; PUT, DELETE and moves with `If-Match` are 412 unless the object's own last change is the one named (docs/reference/beside-v1.md). Without these headers nothing is different",
		Reason:   "Who has an answer need not read it again, and two people must not undo each other's work unseen.",
		Headers:  []string{"Etag", "X-Craton-Revision", "Cache-Control"},
	},
	{
		ID: "read-revision", Where: "The header `X-Craton-Revision` of a GET, and of answers to writes",
		Original: "Not looked at, and not there",
		Ours:     "A write says its revision. A GET that says one is answered from a state that has it, which may be that of a replica some seconds behind; one that is no revision is 400. Without it an answer has all that was acknowledged before (docs/reference/beside-v1.md)",
		Reason:   "Who reads much, and need not have the newest, does not disturb those who write.",
	},
	{
		ID: "at", Where: "`at` and `concealed` of a GET",
		Original: "400: the parameters are unknown",
		Ours:     "The answer as it would have been at that revision or time, from the change log; 410 before it begins (docs/reference/beside-v1.md). `users` answer 400 as the original does",
		Reason:   "What a run of last week saw, and what was there before a slip, must not be gone.",
	},
	{
		ID: "history", Where: "GET /v1/history, GET /v1/diff",
		Original: "404",
		Ours:     "What changed an object, newest first, with the values that its variables come to: what it inherits counts, what it shadows does not; also of objects that are deleted. What is otherwise at one moment than at another, of an object or of each that the caller may see (docs/reference/beside-v1.md)",
		Reason:   "What changed since yesterday, and who did it, is the first question after a bad night.",
	},
	{
		ID: "fleet", Where: "GET of `fleet`",
		Original: "404: a fleet is read page by page, each page of another moment",
		Ours:     "Everything that the caller may see, or what is in a place, from one moment, as a stream of JSON lines, whose last says that it is whole (docs/reference/beside-v1.md)",
		Reason:   "Who needs the whole fleet needs it consistent, and a thousand requests for it take longer than its data.",
	},
	{
		ID: "compression", Where: "GET with `Accept-Encoding`",
		Original: "Not looked at",
		Ours:     "An answer of 2 KiB or more comes in zstd or gzip, whichever is wanted more, zstd if both are; every answer to a GET says `Vary: Accept-Encoding`. python-requests, which the old client is made with, asks for gzip and reads it",
		Reason:   "Lists of a fleet repeat themselves: they shrink to a tenth.",
		Headers:  []string{"Content-Encoding", "Vary"},
	},
	{
		ID: "changes", Where: "GET /v1/changes; the header `X-Craton-Message` of writes",
		Original: "404; the header is not looked at",
		Ours:     "What was done to which object, by whom, when, in which request and why, in the order of the commits, with the values before and after, as far as the caller may read the object (docs/reference/beside-v1.md). A message of over 1,024 bytes, or with a control character, is 400",
		Reason:   "Who changed what, and undoing it, must not be a matter of memory.",
	},
	{
		ID: "undo", Where: "POST of `undo`",
		Original: "404: what was deleted is gone",
		Ours:     "A write, or all that a request has done, is taken back in one transaction: what it deleted is there again with ids, labels, parents, variables and interfaces. Refused with 409 if something was changed since (docs/reference/beside-v1.md)",
		Reason:   "A slip must not cost a night.",
	},
	{
		ID: "ansible-inventory", Where: "GET /v1/ansible-inventory",
		Original: "Always 500", Ours: "The document that its generator was written for, of all hosts without paging, addresses in numeric order, IPv4 first. A host without a cell is in its region's group. A region or cell whose group's name is taken gets its cloud's name in front; what still collides, and two hosts with one address, is 409 naming both.",
		Reason:   "It is documented, and was broken by three slips.",
		Recorded: []string{"ansible inventory"},
	},
	{
		ID: "keystone-roles", Where: "Behind Keystone: who may do what",
		Original: "Everyone without the role `admin` gets 401 on every request, and every `admin` of any project is root",
		Ours:     "In the token's project `admin` is its admin, `member` a member, and `reader` reads only: 403 for anything else. Other roles give 403 that names the ones it takes. Root are the admins of Keystone's admin project (its option `admin_project_name`), and whom the settings name.",
		Reason:   "A role in one project must neither be useless there nor reach into another.",
	},
	{
		ID: "keystone-tokens", Where: "Behind Keystone: tokens that are not for a project, and projects whose id is no UUID",
		Original: "500 on every request",
		Ours:     "An unscoped token, or one for a domain or the system, is 403 that says which one to get. A project id that is no UUID becomes a name-based one (version 5), always the same; `project_id` is in the dashed form.",
		Reason:   missingStatus,
	},
	{
		ID: "keystone-projects", Where: "Behind Keystone: the project of the first request in it",
		Original: "Looked up, and created if it is not there; its name stays what it was then", Ours: "Made once however many come together, and called what Keystone calls it now",
		Reason: "Ansible's first run sends many requests at once, and a name is there to be recognised.",
	},
	{
		ID: "keystone-users", Where: "Behind Keystone: POST /v1/users",
		Original: "Makes a user with an API key, which nothing uses", Ours: "403. Users that are there from local authentication can be listed and deleted",
		Reason: "The key would be good on a server with local authentication on the same database, whatever Keystone has revoked.",
	},
	{
		ID: "keystone-down", Where: "Behind Keystone: when Keystone cannot be asked",
		Original: "503, of which the python client dies with a RecursionError", Ours: "500 with a message that says so. A token that was good within the time of `keystone_cache_time` still is.",
		Reason: "The message must reach whoever waits for it.",
	},
}

// DifferencesMarkdown renders [Differences] as the page docs/differences.md.
func DifferencesMarkdown() string {
	var b strings.Builder
	b.WriteString(`# Differences from the original server

<!-- Made from server/differences.go by "go test ./server -run TestDifferencesPage -update". Do not edit. -->

The server speaks the v1 API of OpenStack Craton. A test replays recorded
exchanges with the original and compares status, headers and every byte of the
bodies. Where it differs, it does so on purpose. This is the whole list.
`)
	for _, d := range Differences {
		fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n* Original: %s\n* Here: %s\n* Why: %s\n", d.ID, d.Where, stop(d.Original), stop(d.Ours), stop(d.Reason))
	}
	return b.String()
}

// stop ends a sentence that has no end.
func stop(s string) string { return strings.TrimSuffix(s, ".") + "." }

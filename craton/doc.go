// Package craton is a client of the Craton v1 API, a fleet inventory for people who run Ansible. It works with the
// original OpenStack Craton server and with "craton server".
//
// A fleet is a tree. Clouds contain regions, and regions contain cells; hosts and network devices are in a region or in
// one of its cells. Networks belong to a region, network interfaces to a device. All objects belong to a project, and
// so does each user. Every kind of object except users has variables; those of network interfaces can only be set at
// creation.
//
// # Connect
//
//	c, err := craton.New("https://craton.example:7780",
//		craton.WithLocalAuth("deploy", apiKey, projectID))
//
// That is a user of Craton itself. With Keystone, package keystone signs in, and finds the URL too:
//
//	auth, err := keystone.New(keystone.Config{AuthURL: authURL, Username: "deploy", Password: password, ProjectName: "fleet"})
//	...
//	url, err := auth.Endpoint(ctx, "fleet_management")
//	...
//	c, err := craton.New(url, craton.WithAuth(auth))
//
// The URL may end in /v1, and may have a path before that. New sends nothing: wrong credentials fail at the first call.
// A [Client] is safe for concurrent use by many goroutines; create one and share it. It has a field for each of the ten
// resources, and all resources have the same methods, as far as the API supports them:
//
//	List, All                  read many objects
//	Get, GetResolved           read one, with its own or its resolved variables
//	Create, Update, Delete
//	Variables, ResolvedVariables, SetVariables, DeleteVariables
//	Labels, AddLabels, RemoveLabels, SetLabels
//
//	                   list  get  create  update  delete  variables  labels  inherits
//	Clouds              x     x     x       x       x         x
//	Regions             x     x     x       x       x         x                 x
//	Cells               x     x     x       x       x         x                 x
//	Hosts               x     x     x       x       x         x        x        x
//	NetworkDevices      x     x     x       x       x         x        x        x
//	Devices             x
//	Networks            x     x     x       x       x         x
//	NetworkInterfaces   x     x     x       x       x
//	Projects            x     x     x               x         x
//	Users               x     x     x               x
//
// The first argument of every call is a context, which limits the call including its retries. For programs that treat
// all kinds alike, [Client.Collection] has the same methods for objects that are maps of JSON values. [Client.Do] sends
// any other request.
//
// # List
//
// All requests every page, yields one object after the other, and prefetches the next page meanwhile:
//
//	for host, err := range c.Hosts.All(ctx, craton.HostListOptions{RegionID: 7, Details: true}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(host.Name, host.IPAddress)
//	}
//
// An error is yielded once and ends the loop. Leaving the loop early cancels the request in progress and waits until it
// has ended. The fields of the options struct are filters: all that are set must match, and zero values are ignored.
// Objects in a list have variables only with Details: resolved ones, unless Resolved points to false. Variables is nil
// if the API left the variables out, and empty but not nil if the object has none.
//
// The Vars filter compares variables. It consists of path:value pairs, all of which must match. The first element of a
// path is the name of a variable, and the value is JSON, so strings need quotes (v1 contract §5.5):
//
//	craton.HostListOptions{Vars: `role:"db",tuning.hugepages:64`}
//
// To page by hand, call List with the Marker of the previous page until it is empty:
//
//	for o := (craton.HostListOptions{Paging: craton.Paging{Limit: 50}}); ; {
//		page, err := c.Hosts.List(ctx, o)
//		...
//		if o.Marker = page.Marker; o.Marker == "" {
//			break
//		}
//	}
//
// [Client.Pages] requests the same pages as All but returns their bodies undecoded, for callers that decode them
// themselves; [Client.Page] does the same for one page.
//
// A listing is either complete or an error. All pages of the API follow the same rules (for their links, markers, and
// the order and number of their rows), so a page that breaks one was damaged in transit. It is requested again; if that
// does not help, the result is a [*ResponseError]. The same applies to a row that is not an object with an id. Damage
// that breaks no rule, such as an empty page instead of the last one, cannot be detected here.
//
// The marker of a page is the id of its last object. Objects created during a listing may or may not appear. If the
// object of a marker is deleted before the next page is requested, the listing fails: [IsMarkerGone] reports this;
// start the listing again.
//
// # A whole fleet
//
// A server with "fleet" among its [Client.Capabilities] sends the whole fleet as one stream, a consistent snapshot:
//
//	fleet, err := c.Fleet(ctx, craton.FleetOptions{Known: tag})
//	if craton.IsUnchanged(err) {
//		... // nothing has changed since the response with that tag
//	}
//	for o, err := range fleet.All() {
//		... // o.Kind, and o.Object: its JSON
//	}
//	tag = fleet.Tag
//
// An error in the loop means that the fleet is incomplete, and must not be used.
//
// # The past
//
// At returns a client that reads the fleet as it was at a revision or a time; all its reads see the same state:
//
//	past, err := c.At(ctx, craton.Past{At: "2026-11-20T09:30:00Z"})
//	host, err := past.Hosts.Get(ctx, id)
//
// # Create, update, delete
//
// Create takes a struct with the fields of the new object; its comment names the required ones. Update takes a struct
// of pointers, where nil leaves a field unchanged; new makes a pointer from a value:
//
//	c.Hosts.Update(ctx, id, craton.HostUpdate{Note: new("reimaged"), ParentID: new(craton.NoParent)})
//
// Move moves a host, a network device or a cell to another place, if the server supports it; Update cannot do that.
//
// Delete also deletes an object's contents: the hosts of a cell, the cells of a region. It fails with a conflict while
// the object is the parent of another device, or a network with interfaces. Deleting an object that does not exist is
// not an error.
//
// Objects are returned as the API sent them. The response to a create has times with microseconds, and on the original
// server the address as it was sent; later reads have whole seconds and the canonical form of the address.
//
// # Variables
//
// An object's own variables are those set on the object itself. Its resolved variables include those inherited from its
// parent devices, cell, region, cloud and project. If several places set a key, the nearest wins: its complete value,
// even null (v1 contract §5). Clouds and networks inherit nothing.
//
//	own, err := c.Hosts.Variables(ctx, id)
//	seen, err := c.Hosts.ResolvedVariables(ctx, id)
//	own, err = c.Hosts.SetVariables(ctx, id, craton.Vars(map[string]any{"mtu": 9000})) // leaves other keys unchanged
//	err = c.Hosts.DeleteVariables(ctx, id, "mtu", "ntp")
//
// [Variables] store the JSON text of each value, which preserves integers of any size, the difference between 1.0 and
// 1, null, and nested values. Get and Set convert to and from Go values.
//
// # Labels
//
// Hosts and network devices have labels. AddLabels adds labels, RemoveLabels removes some, and SetLabels replaces all.
// Labels are always returned sorted. HostListOptions.Label lists the hosts with a label.
//
// # Errors
//
// A call fails in one of four ways:
//
//   - [*Error]: the API responded with a failure. It has the status, the server's message, method and path, and often a
//     hint on what to do next. [IsNotFound], [IsConflict], [IsBadRequest], [IsForbidden], [IsUnauthenticated], [IsMarkerGone]
//     and [StatusOf] distinguish the common ones, including wrapped ones.
//   - [*ConnectionError]: there was no response. It wraps the cause, so that errors.Is(err, context.DeadlineExceeded) and the like work.
//   - [*AuthError]: there were no credentials to send, because Keystone rejected the user or could not be reached.
//   - [*ResponseError]: the response is not one of the v1 API.
//
// No method returns a nil object without an error: if nothing exists, Get fails, while List and All return no objects.
// Errors never contain credentials, queries or bodies; printing a Client, with any verb, shows none either.
//
// # Retries, timeouts, proxies, TLS
//
// Each attempt of a request may take [DefaultTimeout] ([WithTimeout]). A request is retried up to [DefaultRetries]
// times ([WithRetries]), after pauses that are doubled each time and partly random ([WithRetryWait]); a Retry-After of
// up to a minute is respected. These requests are retried:
//
//   - any request that was never sent because no connection could be established;
//   - GET, PUT and DELETE after a lost connection, a timeout, a truncated response, 429, 502, 503 or 504, or 500 with
//     Retry-After, which craton server uses because the other statuses crash the original Python client;
//   - GET after any 500, because the original server sometimes returns 500 for valid requests;
//   - GET after a successful but unusable response: an empty body, truncated JSON, a proxy's page, a page that breaks a
//     rule.
//
// If the server accepts few connections, like the original one, at most four requests are in progress at once
// ([WithMaxConnections]).
//
// A create is never sent twice. After a *ConnectionError it may have happened: check before you try again.
//
// Proxies are taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY. [WithTLS] sets the CA certificates, a client
// certificate, or turns verification off. [WithTransport] replaces the transport with all these settings, for tests and
// for a server in the same process. Redirects are not followed, and next links only on the configured URL, so
// credentials are never sent anywhere else.
//
// # The original server and craton server
//
// The client hides most differences. These remain:
//
//   - The original never includes labels in hosts and network devices; craton server does, in lists with details. Labels
//     is nil if the server did not include them.
//   - The original shows every user's API key to admins; craton server shows it once, in the response to Create.
//   - On the original, project admins see the objects of all projects; on craton server, only those of their own.
//   - On the original, a create that fails with 404 may have happened, if a parent device belongs to another project; the
//     error's hint says so. One invalid address makes every list that contains it fail. craton server refuses both.
//   - The original compares names, labels and variable keys as its database does; MySQL ignores case and accents.
//   - On the original, Update and Delete fail with a 500 without details for many reasons. The client sends further
//     requests to find out whether it means that the object does not exist or that there is a conflict; otherwise the
//     error remains a 500 with a hint.
//
// Comments cite numbered quirks (Q8) and sections (§3.3) of the v1 contract, which describes the behaviour of the
// original server.
package craton

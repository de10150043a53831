// Package craton is a client of the Craton v1 API: fleet inventory for people who run Ansible. It speaks to the
// original OpenStack Craton server and to "craton server" alike.
//
// A fleet is a tree. Clouds hold regions, regions hold cells; hosts and network devices stand in a region or one of its
// cells. Networks belong to a region, network interfaces to a device. All of it belongs to a project, and users act in
// one. Variables can be set at every level.
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
// The URL may end in /v1 and may have a path before it. New sends nothing: wrong credentials show with the first call.
// A [Client] is safe for concurrent use by many goroutines; make one and share it. Its fields are
// the ten resources, and each resource has the same methods, as far as the API has them:
//
//	List, All                  read many
//	Get, GetResolved           read one, with its own variables or with what it inherits
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
// Every call takes a context first, which bounds it with all its retries. For programs that treat all kinds alike,
// [Client.Collection] has the same methods for objects that are maps of JSON. [Client.Do] covers the rest.
//
// # List
//
// All reads every page and yields one object after the other; the next page is being fetched meanwhile:
//
//	for host, err := range c.Hosts.All(ctx, craton.HostListOptions{RegionID: 7, Details: true}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(host.Name, host.IPAddress)
//	}
//
// An error is yielded once and ends the loop. Leaving the loop early cancels the request in progress and waits for its
// end. The fields of the options struct are filters: all that are set must match, and zero values are ignored. Lists
// carry variables only with Details, resolved ones unless Resolved points to false. Variables are nil in objects where
// the API left them out, and empty but not nil where there are none.
//
// The Vars filter selects by variables: path:value pairs, all of which must match. The first element of a path is
// a variable's name, and the value is JSON, so that strings have quotes (v1 contract §5.5):
//
//	craton.HostListOptions{Vars: `role:"db",tuning.hugepages:64`}
//
// By hand, page by page, List is called with the Marker of the page before, until it is empty:
//
//	for o := (craton.HostListOptions{Paging: craton.Paging{Limit: 50}}); ; {
//		page, err := c.Hosts.List(ctx, o)
//		...
//		if o.Marker = page.Marker; o.Marker == "" {
//			break
//		}
//	}
//
// [Client.Pages] walks like All but leaves the bodies as they came, for callers that decode on their own; [Client.Page]
// does so with one page.
//
// A listing is complete or an error: a page that breaks a rule that every page of the API keeps (its links, its
// markers, the order and the number of its rows) was damaged on its way. It is requested again, and is a
// [*ResponseError] in the end. So is a row that is no object with an id. What no rule tells, such as an empty page in
// the place of the last one, only the caller can know.
//
// Pages follow each other by the last object's id. Objects made meanwhile may appear or not. One that is deleted while
// a walk stands on it breaks the walk: [IsMarkerGone] reports this; start the walk again.
//
// # A whole fleet
//
// A server whose [Client.Capabilities] have "fleet" sends all of it at once, from one moment, as a stream:
//
//	fleet, err := c.Fleet(ctx, craton.FleetOptions{Known: tag})
//	if craton.IsUnchanged(err) {
//		... // it is still the one with the tag
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
// At returns a client that reads the fleet as it was at a revision or a moment, all of it in one state:
//
//	past, err := c.At(ctx, craton.Past{At: "2026-11-20T09:30:00Z"})
//	host, err := past.Hosts.Get(ctx, id)
//
// # Create, update, delete
//
// Create takes a struct with the fields of the new object; its comment names the required ones. Update takes a struct
// of pointers, and nil leaves a field as it is; new makes a pointer of a value:
//
//	c.Hosts.Update(ctx, id, craton.HostUpdate{Note: new("reimaged"), ParentID: new(craton.NoParent)})
//
// Move puts a host, a network device or a cell in another place, if the server can; Update cannot.
//
// Delete includes an object's contents: the hosts of a cell, the cells of a region. It fails with a conflict while
// another device has the object as its parent, or an interface is on the network. Deleting an object that does not
// exist is not an error.
//
// Objects are returned as the API sent them. A create's response shows times with microseconds and addresses as they
// were sent; a later read shows whole seconds and normal forms.
//
// # Variables
//
// An object's own variables are those set on it. What it sees are the resolved ones: its own, then those of its
// parent devices, its cell, region, cloud and project; of a key that several levels set the nearest counts, whole and
// even if it is null (v1 contract §5). Clouds and networks inherit nothing.
//
//	own, err := c.Hosts.Variables(ctx, id)
//	seen, err := c.Hosts.ResolvedVariables(ctx, id)
//	own, err = c.Hosts.SetVariables(ctx, id, craton.Vars(map[string]any{"mtu": 9000})) // leaves other keys alone
//	err = c.Hosts.DeleteVariables(ctx, id, "mtu", "ntp")
//
// [Variables] keep each value's JSON as text: integers of any size, 1.0 apart from 1, null, nested values. Get and Set
// convert to and from Go values.
//
// # Labels
//
// Hosts and network devices have labels. AddLabels adds, RemoveLabels takes away, SetLabels makes them exactly the
// given ones; all give them sorted. HostListOptions.Label selects hosts by one label.
//
// # Errors
//
// A call fails in one of four ways:
//
//   - [*Error]: the API answered with a failure. It has the status, the server's message, method and path, and often a
//     hint what to do next. [IsNotFound], [IsConflict], [IsBadRequest], [IsForbidden], [IsUnauthenticated], [IsMarkerGone]
//     and [StatusOf] tell the common ones apart, also when wrapped.
//   - [*ConnectionError]: there was no response. It wraps the cause, so that errors.Is(err, context.DeadlineExceeded) and the like work.
//   - [*AuthError]: there were no credentials to send, since Keystone refused to sign the user in or could not be asked.
//   - [*ResponseError]: the answer is not one of the v1 API.
//
// Nothing returns (nil, nil): what does not exist is an error for Get, and an empty list for List and All. Credentials,
// queries and bodies never appear in errors, nor in any form of printing of a Client.
//
// # Retries, timeouts, proxies, TLS
//
// Each try of a request may take [DefaultTimeout] ([WithTimeout]). Requests are repeated up to [DefaultRetries] times
// ([WithRetries]), with pauses that double and have a random part ([WithRetryWait]); a server's Retry-After is obeyed
// up to a minute. Repeated are:
//
//   - every request that was never sent because no connection came about;
//   - GET, PUT and DELETE after a lost connection, a timeout, an answer that was cut short, 429, 502, 503 and 504, and after
//     500 with Retry-After, which craton server uses instead, since these crash the original Python client;
//   - GET after any 500, which the original server answers to good requests now and then;
//   - GET after a good answer that is none: nothing, JSON that ends early, a proxy's page, a page that breaks a rule.
//
// To a server that takes few connections, as the original one does, at most four requests are in progress at once
// ([WithMaxConnections]).
//
// A create is never sent twice. After a *ConnectionError it may have been carried out: look before trying again.
//
// Proxies are those of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. [WithTLS] takes certificates to trust, a client
// certificate, or turns verification off. [WithTransport] replaces all of it, for tests and for a server in the same
// process. Redirects are not followed, and next links are followed on the configured URL only: credentials go nowhere
// else.
//
// # The original server and craton server
//
// The client hides most differences. These remain:
//
//   - The original never shows labels in hosts and network devices; craton server does in lists with details. Labels is nil
//     where the server did not say.
//   - The original shows every user's API key to admins; craton server shows it once, in the answer to Create.
//   - On the original, project admins see the objects of all projects; on craton server those of their own.
//   - On the original, a create whose answer is 404 may have been carried out, if a parent device belongs to another project;
//     the error's hint says so. One address that is none makes every list fail that holds it. craton server refuses both.
//   - The original compares names, labels and variable keys as its database does, on MySQL without case and accents.
//   - Update and Delete on the original fail with a bare 500 for many reasons. The client asks further requests to find out
//     whether it means not found or a conflict; what cannot be found out stays a 500 with a hint.
//
// Comments refer to numbered quirks (Q8) and sections (§3.3) of the v1 contract, the description of the original
// server's behaviour that this client is written to.
package craton

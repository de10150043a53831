// Package iotronic is a client of OpenStack's Ironic and of Iotronic, which manage bare metal servers and small
// computers.
//
// # Connect
//
// With an endpoint and a token from Keystone, or with Keystone credentials:
//
//	c, err := iotronic.New("http://ironic.example:6385", iotronic.WithToken(token))
//
//	c, err := iotronic.New("", iotronic.WithKeystone(keystone.Config{
//		AuthURL:  "http://keystone.example:5000/",
//		Username: "name", Password: "password", ProjectName: "tenant",
//	}))
//
// The endpoint may end in /v1, and may have a path before that. If it is empty, Keystone's catalogue is used, where the
// service types "iot" and "baremetal" are looked up in this order ([WithServiceType]). An endpoint overrides the
// catalogue; having neither is an [*AmbiguousAuthSystemError]. The default domain is the one with the id "default".
//
// For a standalone Ironic without users, no credentials are needed; for one with its own users, use [WithBasicAuth].
//
// New sends nothing: wrong credentials fail at the first call. A [Client] is safe for concurrent use by many
// goroutines; create one and share it.
//
// # Dialects
//
// The two services have four APIs. The first call detects which one the server has, unless [WithDialect] sets it:
//
//	                           Nodes  Drivers  Ports  Boards  Fleets  Plugins  Services  Webservices
//	DialectIronic                x       x       x
//	DialectNodes2016             x
//	DialectNodes                 x                                       x
//	DialectBoards                                x       x       x       x         x           x
//
// Chassis, Allocations, Portgroups, VolumeConnectors, VolumeTargets, DeployTemplates and Runbooks exist only in Ironic,
// EnabledWebservices wherever Webservices do. Using anything that the dialect does not have is a [*DialectError], or an
// [*InvalidAttributeError] for a filter or attribute, before anything is sent. Only Ironic's nodes have a power state,
// a provision state, and maintenance. Iotronic of 2016 can neither change nor filter nodes; the client still finds them
// by name and reads their details, with more requests.
//
// # Read
//
//	drivers, err := c.Drivers.List(ctx, iotronic.DriverListOptions{})
//	node, err := c.Nodes.Get(ctx, "web-01") // a UUID or a name
//
//	for node, err := range c.Nodes.All(ctx, iotronic.NodeListOptions{Detail: true, ProvisionState: "active"}) {
//		if err != nil {
//			return err
//		}
//		fmt.Println(node.Name, node.PowerState)
//	}
//
// All requests every page, and prefetches the next one; the server's maximum page size never truncates it. An error is
// yielded once and ends the loop. Options that are set are filters, and all must match. List reads one page; its Marker
// leads to the next. Raw is like All but returns the objects undecoded, for callers that decode thousands of them
// themselves.
//
// An object's Fields contains everything that was received for it, because newer servers have fields that this package
// does not know. Lists have few fields unless the option Detail or Fields asks for more; a field that was not received
// has its zero value. No method returns a nil object without an error: if nothing exists, Get fails, while List and All
// return no objects.
//
// The parts of a board are read with [BoardService.Plugins], [BoardService.Services], [BoardService.Ports] and
// [BoardService.Webservices]. Lists of boards and of Iotronic's nodes contain only those of the caller's own project,
// even for an admin. Lists of fleets, services, ports and webservices contain those of all projects.
//
// # Change
//
//	node, err = c.Nodes.Create(ctx, iotronic.NodeCreate{Driver: "ipmi", Name: "web-01"})
//	port, err := c.Ports.Create(ctx, iotronic.PortCreate{Node: node.UUID, Address: "52:54:00:12:34:56"})
//	node, err = c.Nodes.Update(ctx, "web-01", iotronic.Changes{"extra/rack": "b7", "extra/old": iotronic.Remove})
//	err = c.Nodes.SetTraits(ctx, "web-01", []string{"CUSTOM_GPU"})
//	err = c.Nodes.SetPower(ctx, "web-01", iotronic.PowerOn)
//	err = c.Nodes.WaitPower(ctx, "web-01", iotronic.PowerOn)
//	err = c.Nodes.Delete(ctx, "web-01")
//
// [Changes] are sent as a JSON patch to Ironic, and as a plain object to Iotronic. [Client.Do] sends any request that
// has no method.
//
// # Versions
//
// The API version is the latest that both the server and this client support: up to 1.115 for Ironic, and 1.0 for
// Iotronic. If the server responds with 406, the request is sent once more, with a version that the server supports.
// [WithVersion] sets a version, which is then not negotiated; whatever needs another one is an
// [*UnsupportedVersionError].
//
// # Errors
//
// The errors have the hierarchy of the Python client's, as types for errors.As; all of them implement [Error]:
//
//	HTTPError                          the server responded with a failure: Status, Message, RequestID, ...
//	  HTTPRedirectionError             3xx: MultipleChoicesError
//	  HTTPClientError                  4xx: BadRequestError, UnauthorizedError, ForbiddenError, NotFoundError,
//	                                   ConflictError and others
//	  HTTPServerError                  5xx: InternalServerError, ServiceUnavailableError and others
//	ConnectionError                    there was no response
//	ResponseError                      a successful response that is not one of the API
//	AmbiguousAuthSystemError           neither an endpoint nor credentials to find one
//	AuthorizationFailureError          no token could be obtained; wraps Keystone's error
//	EndpointError                      the endpoint is not the URL of an API
//	  EndpointNotFoundError            the catalogue does not have the service
//	UnsupportedVersionError            wraps the NotAcceptableError
//	DialectError                       the dialect does not have that
//	ValidationError                    the arguments of the call are invalid
//	InvalidAttributeError              a filter, field or attribute is invalid
//	NoUniqueMatchError                 several objects have the name
//	StateTransitionFailedError         a node reached another state than the expected one
//	StateTransitionTimeoutError        a node did not reach the expected state in time
//
// errors.As with *HTTPError or a type below it matches every status that belongs to it. [IsNotFound], [IsConflict],
// [IsLocked], [IsBadRequest], [IsForbidden], [IsUnauthenticated], [IsMarkerGone], [IsWrongDialect] and [StatusOf]
// distinguish the common ones, including wrapped ones. IsNotFound is false if the 404 means that the route does not
// exist. Errors never contain credentials; printing a Client, with any verb, shows none either. If a server repeats
// what it was sent, the value of a key that names a secret ([IsSecretKey]) is replaced by [Hidden].
//
// The Python client's CommandError, AuthPluginOptionsMissing, AuthSystemNotFound and AmbiguousEndpoints have no
// counterpart: this package has no command line and no authentication plugins, and uses the first of several endpoints.
//
// # Retries, timeouts, redirects
//
// Each attempt of a request may take [DefaultTimeout] ([WithTimeout]). A request is retried up to [DefaultRetries]
// times ([WithRetries]), after pauses that are doubled each time and partly random ([WithRetryWait]); a Retry-After of
// up to a minute is respected. These requests are retried:
//
//   - any request that was never sent because no connection could be established, and any after 503;
//   - any after a 409 that says that the object is locked; after another 409, all except creates, unless the message
//     says that a name is taken;
//   - GET and DELETE after a lost connection, a timeout, a truncated response, 429, 502 or 504.
//
// A change of state, an update or a create is not sent again once it may have taken effect: after a
// [*ConnectionError], check before you try again. GET follows redirects on the same server; any other redirect is an
// [*HTTPRedirectionError] with its target. The next links of lists are not followed, so credentials are never sent
// anywhere else. With Keystone credentials, a token that has expired is replaced, once per request.
//
// An id is one element of a path, whatever characters it has; an id with a slash, which a server would read as two
// elements, is a [*ValidationError].
//
// Comments cite sections (reference §2.5) and quirks (reference §6, 8) of the description of the two services'
// behaviour.
package iotronic

// Package iotronic is a client of OpenStack's Ironic and of Iotronic: the bare metal servers and the small computers
// that these services know.
//
// # Connect
//
// With an endpoint and a token of Keystone's, or with Keystone credentials:
//
//	c, err := iotronic.New("http://ironic.example:6385", iotronic.WithToken(token))
//
//	c, err := iotronic.New("", iotronic.WithKeystone(keystone.Config{
//		AuthURL:  "http://keystone.example:5000/",
//		Username: "name", Password: "password", ProjectName: "tenant",
//	}))
//
// The endpoint may end in /v1 and may have a path before it. Without one it comes from Keystone's catalogue, where
// the service types "iot" and "baremetal" are looked for, in this order ([WithServiceType]). An endpoint counts for more than the catalogue;
// neither of the two is an [*AmbiguousAuthSystemError]. Domains default to the one with the id "default".
//
// Without credentials, requests carry none, as for an Ironic that stands alone; one that has users of its own is given
// [WithBasicAuth].
//
// New sends nothing: wrong credentials show with the first call. A [Client] is safe for concurrent use by many
// goroutines; make one and share it.
//
// # Dialects
//
// One name, two services, four APIs. Which one a server speaks is asked of it with the first call, or set by [WithDialect]:
//
//	                           Nodes  Drivers  Ports  Boards  Fleets  Plugins  Services  Webservices
//	DialectIronic                x       x       x
//	DialectNodes2016             x
//	DialectNodes                 x                                       x
//	DialectBoards                                x       x       x       x         x           x
//
// Chassis, Allocations, Portgroups, VolumeConnectors, VolumeTargets, DeployTemplates and Runbooks are Ironic's. EnabledWebservices come with Webservices. What a dialect does not have is a [*DialectError], and a filter or attribute that it does not have an
// [*InvalidAttributeError], before anything is sent. Ironic's nodes alone have states of power and provisioning and
// maintenance. Iotronic of 2016 neither changes nodes nor filters them; the client finds them by name and reads their
// details all the same, with more requests.
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
// All reads every page, and the next one is on its way meanwhile; it is never cut at the server's largest page. An error
// is yielded once and ends the loop. The values of the options filter, and all that are set must match. List
// reads one page; its Marker leads to the next. Raw is All without decoding, for callers that read
// thousands of objects on their own.
//
// Every object has what came of it in Fields, whole: newer servers have more fields than this package has names.
// Lists have few fields unless Detail or Fields ask for others; a field that did not come is its zero value. There is no
// (nil, nil): what does not exist is an error for Get, and an empty list for List and All.
//
// Boards come with their parts: [BoardService.Plugins], [BoardService.Services], [BoardService.Ports],
// [BoardService.Webservices]. Lists of boards and of Iotronic's nodes have those of the caller's own project, an
// admin's too. Those of fleets, services, ports and webservices have all.
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
// [Changes] travel as a JSON patch to Ironic and as a plain object to Iotronic. What the typed methods do not cover,
// [Client.Do] does.
//
// # Versions
//
// The version of the API is the latest that both the server and this client know: up to 1.115 of Ironic, 1.0 of
// Iotronic. A server that answers 406 is asked once more in a version of its own. [WithVersion] sets one,
// which is not negotiated; what needs another one is an [*UnsupportedVersionError].
//
// # Errors
//
// All errors are of the tree of the Python client's, as types that errors.As tells apart; [Error] is its root:
//
//	HTTPError                          the server answered with a failure: Status, Message, RequestID, ...
//	  HTTPRedirectionError             3xx: MultipleChoicesError
//	  HTTPClientError                  4xx: BadRequestError, UnauthorizedError, ForbiddenError, NotFoundError,
//	                                   ConflictError and the others
//	  HTTPServerError                  5xx: InternalServerError, ServiceUnavailableError and the others
//	ConnectionError                    there was no answer
//	ResponseError                      a good answer that is not what the API promises
//	AmbiguousAuthSystemError           neither an endpoint nor credentials to find one
//	AuthorizationFailureError          no credentials were to be had; Keystone's own error is behind it
//	EndpointError                      the endpoint is no address of an API
//	  EndpointNotFoundError            the catalogue does not have the service
//	UnsupportedVersionError            the NotAcceptableError is behind it
//	DialectError                       the dialect does not have that
//	ValidationError                    the call cannot be sent as it is
//	InvalidAttributeError              the same of a filter, field or attribute
//	NoUniqueMatchError                 several objects have the name
//	StateTransitionFailedError         a node went to another state than the one waited for
//	StateTransitionTimeoutError        or did not in time
//
// errors.As with *HTTPError or one of its classes finds any status below it. [IsNotFound], [IsConflict], [IsLocked],
// [IsBadRequest], [IsForbidden], [IsUnauthenticated], [IsMarkerGone], [IsWrongDialect] and [StatusOf] tell the common
// ones apart, also when wrapped. A 404 for a route that does not exist is not IsNotFound. Credentials never appear in
// errors, nor in any form of printing of a Client; and where a server repeats what it was sent, what stands there under a key
// of a secret ([IsSecretKey]) is [Hidden].
//
// The Python tree's CommandError, AuthPluginOptionsMissing, AuthSystemNotFound and AmbiguousEndpoints have no
// counterpart: here are no command line and no plugins of credentials, and of several endpoints the first counts.
//
// # Retries, timeouts, redirects
//
// Each try of a request may take [DefaultTimeout] ([WithTimeout]). Requests are repeated up to [DefaultRetries] times
// ([WithRetries]), with pauses that double and have a random part ([WithRetryWait]); Retry-After is obeyed up to a
// minute. Repeated are:
//
//   - every request that was never sent because no connection came about, and every one after 503;
//   - every one after a 409 that says that the object is locked; after other 409, those that are no create, unless they
//     say that a name is taken;
//   - GET and DELETE after a lost connection, a timeout, an answer that was cut short, 429, 502 and 504.
//
// A change of state, an update or a create is not sent again once it may have been carried out: after a
// [*ConnectionError] look before trying again. GET follows redirects within the same server; others are an
// [*HTTPRedirectionError] that says where they lead, and next links of lists are not followed either, so that credentials go
// nowhere else. A token that ends is renewed once a
// request, with Keystone credentials.
//
// An id is an element of a path, whatever it is made of; one with a slash, which a server would take for two, is a
// [*ValidationError].
//
// Comments refer to sections (reference §2.5) and quirks (reference §6, 8) of the description of the two services'
// behaviour that this client is written to.
package iotronic

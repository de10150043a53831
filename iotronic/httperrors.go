package iotronic

// The classes of statuses. A status with a type of its own never has one of these types itself, but errors.As finds
// them nevertheless.
type (
	// HTTPRedirectionError is any 3xx: a redirect to another server is not followed.
	HTTPRedirectionError struct{ HTTPError }
	// HTTPClientError is any 4xx: the request is at fault.
	HTTPClientError struct{ HTTPError }
	// HTTPServerError is any 5xx: the server is at fault. Iotronic responds with 500 to some invalid requests too
	// (reference §6).
	HTTPServerError struct{ HTTPError }
)

// The statuses.
type (
	// MultipleChoicesError is 300: there are several choices, as when a version is missing in the URL.
	MultipleChoicesError struct{ HTTPError }
	// BadRequestError is 400: the contents are invalid, or the board is not connected.
	BadRequestError struct{ HTTPError }
	// UnauthorizedError is 401: the credentials are wrong, missing, or no longer valid.
	UnauthorizedError struct{ HTTPError }
	// PaymentRequiredError is 402.
	PaymentRequiredError struct{ HTTPError }
	// ForbiddenError is 403: a policy does not allow it for the caller's role.
	ForbiddenError struct{ HTTPError }
	// NotFoundError is 404: there is no such object or, with Foreign, no such route.
	NotFoundError struct{ HTTPError }
	// MethodNotAllowedError is 405.
	MethodNotAllowedError struct{ HTTPError }
	// NotAcceptableError is 406; for a version it is wrapped in an [UnsupportedVersionError].
	NotAcceptableError struct{ HTTPError }
	// ProxyAuthenticationRequiredError is 407.
	ProxyAuthenticationRequiredError struct{ HTTPError }
	// RequestTimeoutError is 408.
	RequestTimeoutError struct{ HTTPError }
	// ConflictError is 409: a duplicate, a state in which the request is not possible, or a lock ([IsLocked]).
	ConflictError struct{ HTTPError }
	// GoneError is 410.
	GoneError struct{ HTTPError }
	// LengthRequiredError is 411.
	LengthRequiredError struct{ HTTPError }
	// PreconditionFailedError is 412.
	PreconditionFailedError struct{ HTTPError }
	// RequestEntityTooLargeError is 413; RetryAfter may say when to try again.
	RequestEntityTooLargeError struct{ HTTPError }
	// RequestURITooLongError is 414.
	RequestURITooLongError struct{ HTTPError }
	// UnsupportedMediaTypeError is 415.
	UnsupportedMediaTypeError struct{ HTTPError }
	// RequestedRangeNotSatisfiableError is 416.
	RequestedRangeNotSatisfiableError struct{ HTTPError }
	// ExpectationFailedError is 417.
	ExpectationFailedError struct{ HTTPError }
	// UnprocessableEntityError is 422.
	UnprocessableEntityError struct{ HTTPError }
	// InternalServerError is 500.
	InternalServerError struct{ HTTPError }
	// NotImplementedError is 501.
	NotImplementedError struct{ HTTPError }
	// BadGatewayError is 502.
	BadGatewayError struct{ HTTPError }
	// ServiceUnavailableError is 503: no worker is free; the client has retried already.
	ServiceUnavailableError struct{ HTTPError }
	// GatewayTimeoutError is 504.
	GatewayTimeoutError struct{ HTTPError }
	// HTTPVersionNotSupportedError is 505.
	HTTPVersionNotSupportedError struct{ HTTPError }
)

// httpErrors returns the error for a status.
var httpErrors = map[int]func(HTTPError) error{
	300: func(e HTTPError) error { return &MultipleChoicesError{e} },
	400: func(e HTTPError) error { return &BadRequestError{e} },
	401: func(e HTTPError) error { return &UnauthorizedError{e} },
	402: func(e HTTPError) error { return &PaymentRequiredError{e} },
	403: func(e HTTPError) error { return &ForbiddenError{e} },
	404: func(e HTTPError) error { return &NotFoundError{e} },
	405: func(e HTTPError) error { return &MethodNotAllowedError{e} },
	406: func(e HTTPError) error { return &NotAcceptableError{e} },
	407: func(e HTTPError) error { return &ProxyAuthenticationRequiredError{e} },
	408: func(e HTTPError) error { return &RequestTimeoutError{e} },
	409: func(e HTTPError) error { return &ConflictError{e} },
	410: func(e HTTPError) error { return &GoneError{e} },
	411: func(e HTTPError) error { return &LengthRequiredError{e} },
	412: func(e HTTPError) error { return &PreconditionFailedError{e} },
	413: func(e HTTPError) error { return &RequestEntityTooLargeError{e} },
	414: func(e HTTPError) error { return &RequestURITooLongError{e} },
	415: func(e HTTPError) error { return &UnsupportedMediaTypeError{e} },
	416: func(e HTTPError) error { return &RequestedRangeNotSatisfiableError{e} },
	417: func(e HTTPError) error { return &ExpectationFailedError{e} },
	422: func(e HTTPError) error { return &UnprocessableEntityError{e} },
	500: func(e HTTPError) error { return &InternalServerError{e} },
	501: func(e HTTPError) error { return &NotImplementedError{e} },
	502: func(e HTTPError) error { return &BadGatewayError{e} },
	503: func(e HTTPError) error { return &ServiceUnavailableError{e} },
	504: func(e HTTPError) error { return &GatewayTimeoutError{e} },
	505: func(e HTTPError) error { return &HTTPVersionNotSupportedError{e} },
}

package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"
)

// Limits bound the resources of requests. They are the settings of `craton server`, whose documentation explains each.
type Limits struct {
	Body      int64 // bytes of the largest request body
	Memory    int64 // bytes of bodies and answers in progress, in memory
	Temporary int64 // bytes of answers in progress, on disk
}

// DefaultLimits are the limits of a server without other settings, and of sqlite:PATH.
var DefaultLimits = Limits{Body: 1 << 20, Memory: 64 << 20, Temporary: 1 << 30}

const (
	// smallBody is the size in bytes up to which a body needs no budget, as in most requests of most fleets. A larger
	// one must also arrive in time.
	smallBody = 64 << 10
	// lightAnswer is the size in bytes up to which an answer is built in memory. A larger one is written to a file
	// piece by piece.
	lightAnswer = 512 << 10
	// mediumAnswer is the size in bytes above which answers share only a part of the disk, so that there is always room
	// for others.
	mediumAnswer = 16 << 20
	// largestAnswer is the size in bytes above which an answer is refused.
	largestAnswer = 512 << 20
	// maxQuery is the longest URL in bytes.
	maxQuery = 32 << 10
	// perValue is the memory of one value in a body, in bytes.
	perValue = 100
)

// maxServerListings is how many listings that search variables a database server runs at once, unless there are more
// processors: half of its connections.
const maxServerListings = 8

// budgetTimeout is how long a request waits for its part of a budget.
const budgetTimeout = 20 * time.Second

// budget are the resources that all requests of an API share.
type budget struct {
	bodies    *share // bodies as received
	values    *share // bodies as parsed
	answers   *share // answers in memory that wait for their client
	files     *share // answers in files
	large     *share // the part of files for answers over mediumAnswer
	full      *share // full views, which may take long: most sessions are left to others
	scans     *share // listings that search variables
	expensive *share // listings that read very many values, on PostgreSQL, so that others do not queue behind them
	past      *share // histories and differences, which do not queue behind listings of a large fleet
}

// newBudget returns the budget of an API with these limits. server reports whether a database server does the reading,
// in its own processes.
//
// The number of listings that search variables is limited to the number of processors, which they share with everything
// else. A database server shares the processors among its own processes, so more listings are admitted: a cheap one
// would only wait here.
func newBudget(l Limits, server bool) *budget {
	places := int64(runtime.GOMAXPROCS(0))
	scans := places
	if server {
		scans = max(places, min(4*places, maxServerListings))
	}
	return &budget{
		bodies: newShare(max(l.Memory/4, l.Body)), values: newShare(max(l.Memory/2, 1)), answers: newShare(max(l.Memory/4, 1)),
		files: newShare(max(l.Temporary, 1)), large: newShare(max(l.Temporary/4*3, 1)),
		full:      newShare(int64(max(2, runtime.GOMAXPROCS(0)/2))),
		scans:     newShare(scans),
		expensive: newShare(places),
		past:      newShare(places),
	}
}

// share is a number of bytes or places.
type share struct {
	*semaphore.Weighted
	size int64
}

func newShare(size int64) *share { return &share{semaphore.NewWeighted(size), size} }

// take waits for n of the share, or for all of it if n is more, and returns the function that releases it.
func (s *share) take(ctx context.Context, n int64) (release func(), err error) {
	n = min(n, s.size)
	bounded, cancel := context.WithTimeout(ctx, budgetTimeout)
	defer cancel()
	if s.Acquire(bounded, n) != nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, errOverload
	}
	return func() { s.Release(n) }, nil
}

// errOverload has status 500, not 503 or 429: the python client has no class for those and fails with a recursion
// (contract §9.5).
var errOverload error = &httpError{
	status: http.StatusInternalServerError, again: retryAfter,
	message: "The server is processing as many large requests as its memory allows. Try again in a few seconds.",
}

func bodyTooLarge(size string, limit int64) error {
	return fail(http.StatusBadRequest, "The body has %s bytes, at most %d are possible (the server's setting max_body). Send less at once.", size, limit)
}

func answerTooLarge() error {
	return fail(http.StatusInternalServerError, "The response would be larger than %d MiB, which is the limit of this server. Request less at once: a smaller limit, without details, or resolved-values=false.", largestAnswer>>20)
}

func urlTooLong(n int) error {
	return fail(http.StatusBadRequest, "The URL has %d bytes, at most %d are possible. Use fewer or shorter parameters.", n, maxQuery)
}

func sizeText(n int64) string { return fmt.Sprint(n) }

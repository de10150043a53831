package api

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"
)

// Limits bound what requests may cost. They are the settings of `craton
// server`, whose documentation says what each is for.
type Limits struct {
	Body      int64 // bytes of the largest request body
	Memory    int64 // bytes of bodies and answers under way that are held in memory
	Temporary int64 // bytes of answers under way that are held on disk
}

// DefaultLimits are those of a server that says nothing else, and of
// sqlite:PATH.
var DefaultLimits = Limits{Body: 1 << 20, Memory: 64 << 20, Temporary: 1 << 30}

const (
	// smallBody is the size in bytes up to which a body costs no budget:
	// most requests of most fleets. What is larger must also come in time.
	smallBody = 64 << 10
	// lightAnswer is the size in bytes up to which an answer is made in
	// memory at once. A larger one is made piece by piece in a file.
	lightAnswer = 512 << 10
	// mediumAnswer is the size in bytes from which on answers get only a part
	// of the disk: the others must find room, however many of these wait.
	mediumAnswer = 16 << 20
	// largestAnswer is the size in bytes from which on an answer is refused.
	largestAnswer = 512 << 20
	// maxQuery is the length in bytes up to which a URL is read.
	maxQuery = 32 << 10
	// perValue is what a value of a body takes in memory, in bytes.
	perValue = 100
)

// patience is how long a request waits for its part of a budget.
const patience = 20 * time.Second

// budget is what all requests of an API share.
type budget struct {
	bodies  *share // bodies as they come
	values  *share // what they become
	answers *share // answers in memory that wait for their client
	files   *share // answers in files
	large   *share // the part of files that those over mediumAnswer may have
	whole   *share // views that may take long: they leave most sessions to the others
	scans   *share // listings that look into variables
	dear    *share // those of them that look at very many values, on PostgreSQL: the others do not wait behind them
	past    *share // histories and differences, likewise: they do not wait behind listings of a large fleet
}

// newBudget is the budget of an API by its settings; server tells that a database
// server has its own processes.
//
// Listings that look into variables are bounded by the processors, which they share
// with all else; twice as many are let in where a database server does the looking.
func newBudget(l Limits, server bool) *budget {
	places := int64(runtime.GOMAXPROCS(0))
	scans := places
	if server {
		scans *= 2
	}
	return &budget{
		bodies: newShare(max(l.Memory/4, l.Body)), values: newShare(max(l.Memory/2, 1)), answers: newShare(max(l.Memory/4, 1)),
		files: newShare(max(l.Temporary, 1)), large: newShare(max(l.Temporary/4*3, 1)),
		whole: newShare(int64(max(2, runtime.GOMAXPROCS(0)/2))),
		scans: newShare(scans),
		dear:  newShare(places),
		past:  newShare(places),
	}
}

// share is a number of bytes or places.
type share struct {
	*semaphore.Weighted
	size int64
}

func newShare(size int64) *share { return &share{semaphore.NewWeighted(size), size} }

// take waits for n of the share, or for all of it where n is more, and
// returns what gives it back.
func (s *share) take(ctx context.Context, n int64) (release func(), err error) {
	n = min(n, s.size)
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if s.Acquire(bounded, n) != nil {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return nil, errOverload
	}
	return func() { s.Release(n) }, nil
}

// errOverload is answered with 500, not 503 or 429: the python client has no
// class for those and dies (contract §9.5).
var errOverload error = &httpError{
	status: http.StatusInternalServerError, again: retryAfter,
	message: "The server has as many large requests under way as it has room for. Try again in some seconds.",
}

func bodyTooLarge(size string, limit int64) error {
	return fail(http.StatusBadRequest, "The body has %s bytes, at most %d are possible (the server's setting max_body). Send less at once.", size, limit)
}

func answerTooLarge() error {
	return fail(http.StatusInternalServerError, "The answer would be larger than %d MiB, which is the most this server makes. Ask for less at once: a smaller limit, without details, or resolved-values=false.", largestAnswer>>20)
}

func urlTooLong(n int) error {
	return fail(http.StatusBadRequest, "The URL has %d bytes, at most %d are possible. Ask with fewer or shorter parameters.", n, maxQuery)
}

func sizeText(n int64) string { return fmt.Sprint(n) }

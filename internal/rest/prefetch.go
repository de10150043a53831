package rest

// Prefetch begins work at once and returns what waits for its result; that may be called again.
// The work itself is bounded by its context.
func Prefetch[T any](work func() (T, error)) func() (T, error) {
	var result T
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		result, err = work()
	}()
	return func() (T, error) {
		<-done
		return result, err
	}
}

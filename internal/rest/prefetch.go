package rest

// Prefetch starts work at once and returns a function that waits for its result and may be called again. The work
// itself is limited by its context.
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

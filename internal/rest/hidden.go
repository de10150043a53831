package rest

// Hidden is a value that no way of printing shows, wherever it is within the printed value: fmt does not look into
// functions. It does not call methods of unexported fields, so String and Format methods would not hide the contents of
// a struct.
type Hidden[T any] func() T

// Hide hides a value.
func Hide[T any](v T) Hidden[T] { return func() T { return v } }

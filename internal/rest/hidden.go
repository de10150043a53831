package rest

// Hidden is what no form of printing shows, wherever it stands in what is printed: fmt does not look into functions. It
// calls no methods of unexported fields, so that String and Format do not hide what a struct holds.
type Hidden[T any] func() T

// Hide hides a value.
func Hide[T any](v T) Hidden[T] { return func() T { return v } }

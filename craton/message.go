package craton

import (
	"context"
	"fmt"
	"net/http"

	"github.com/craton-fleet/craton/internal/rest"
	"github.com/craton-fleet/craton/internal/value"
)

// MaxMessage is the maximum length of a message in bytes.
const MaxMessage = 1024

// messageHeader is the header with the message for craton server; others ignore it.
const messageHeader = "X-Craton-Message"

// WithMessage sets the reason for the client's changes: one line, which craton server keeps in its change log with
// every change. A message in a call's context overrides it ([ContextWithMessage]).
func WithMessage(text string) Option { return func(c *config) { c.message = text } }

type messageKey struct{}

// ContextWithMessage sets the reason for changes with the context: see [WithMessage]. An empty text has no effect.
func ContextWithMessage(ctx context.Context, text string) context.Context {
	if text == "" {
		return ctx
	}
	return context.WithValue(ctx, messageKey{}, text)
}

// CheckMessage returns an error for a message that is not allowed. Methods that write return it before they send
// anything.
func CheckMessage(text string) error {
	if err := value.CheckWord(text); err != nil {
		return fmt.Errorf("the message %w", err)
	}
	if len(text) > MaxMessage {
		return fmt.Errorf("the message has %d bytes, but at most %d are allowed", len(text), MaxMessage)
	}
	return nil
}

// addMessage adds the message to a request that writes.
func (c *Client) addMessage(ctx context.Context, r *rest.Request) error {
	joinSet(ctx, r)
	text := c.message
	if own, ok := ctx.Value(messageKey{}).(string); ok {
		text = own
	}
	if text == "" || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if err := CheckMessage(text); err != nil {
		return &rest.CallError{Library: "craton", Err: err}
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set(messageHeader, text)
	return nil
}

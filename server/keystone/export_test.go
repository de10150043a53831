package keystone

import "net/http"

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// SetTransport makes f answer requests, without a network: time can then be that of a test.
func (v *Validator) SetTransport(f func(*http.Request) (*http.Response, error)) {
	v.provider.HTTPClient.Transport = transport(f)
}

// MaxAnswers is how many answers of a kind are kept.
const MaxAnswers = maxAnswers

// Kept is how many answers are kept.
func (v *Validator) Kept() (valid, invalid int) { return len(v.valid.entries), len(v.invalid.entries) }

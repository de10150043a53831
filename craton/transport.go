package craton

import (
	"crypto/tls"
	"net/http"

	"github.com/craton-fleet/craton/internal/rest"
)

// TLS determines how https connections are verified. The zero value verifies against the system's certificates.
type TLS struct {
	CAPath     string // PEM file, or directory of PEM files, that is trusted instead of the system's
	ClientCert string // PEM file of a client certificate
	ClientKey  string // PEM file of its key
	Insecure   bool   // do not verify the server at all; for tests only
}

// Config reads the files and returns the configuration for the standard library, with TLS 1.2 or later.
func (t TLS) Config() (*tls.Config, error) {
	return rest.TLS(t.CAPath, t.ClientCert, t.ClientKey, t.Insecure)
}

// repeatReads retries GET and HEAD after a 500 too: the original sometimes responds with it to valid reads (Q8). For
// writes, a 500 is permanent: it means not found, duplicate, or in use (Q5, Q6).
func repeatReads(r *rest.Request, resp *http.Response) bool {
	return resp.StatusCode == http.StatusInternalServerError && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}

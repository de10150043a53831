package serve

import (
	"io"
	"net/http"
	"strings"
)

// forPeople reports whether a request comes from a browser. Programs do not accept HTML, and get the API's response.
func forPeople(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// withoutPage returns the API alone, with a short description at its root.
func withoutPage(api http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" || !forPeople(r) {
			api.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Vary", "Accept")
		_, _ = io.WriteString(w, "This is craton server. Its API is at /v1; the web page of the fleet is not served here.\n")
	})
}

package keystone

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestKeystoneRepeatsSecrets: a Keystone that repeats the request in its error, in whatever form, has nothing of it
// printed.
func TestKeystoneRepeatsSecrets(t *testing.T) {
	t.Parallel()
	const hush = `hu&sh"ed <1>`
	for name, c := range map[string]Config{
		"password":               {Username: "ann", Password: hush, ProjectID: "p"},
		"application credential": {ApplicationCredentialID: "a", ApplicationCredentialSecret: hush},
		"token":                  {Token: hush, ProjectID: "p"},
	} {
		for form, answer := range map[string]func(w http.ResponseWriter, request []byte){
			"message": func(w http.ResponseWriter, request []byte) {
				w.WriteHeader(http.StatusUnauthorized)
				_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"code": 401, "message": "cannot use " + string(request)}})
			},
			"plain": func(w http.ResponseWriter, request []byte) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = fmt.Fprintf(w, "cannot use %s", request[len(request)/2-40:])
			},
			"quoted": func(w http.ResponseWriter, request []byte) {
				w.WriteHeader(http.StatusForbidden)
				_, _ = fmt.Fprintf(w, "cannot use %q", request[len(request)/2-40:])
			},
			"no HTTP": func(w http.ResponseWriter, _ []byte) {
				if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
					_, _ = io.WriteString(conn, hush+"\r\n\r\n")
					_ = conn.Close()
				}
			},
		} {
			t.Run(name+", "+form, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					request, _ := io.ReadAll(r.Body)
					answer(w, request)
				}))
				t.Cleanup(server.Close)
				c := c // each has its own
				c.AuthURL = server.URL
				a, err := New(c, WithRetries(0))
				if err != nil {
					t.Fatal(err)
				}
				_, err = a.Identity(t.Context())
				if err == nil || form == "message" && !strings.Contains(err.Error(), "********") {
					t.Fatalf("error %v", err)
				}
				for _, part := range []string{"hu&sh", `hu\u0026sh`, `hu\\u0026sh`, "<1>"} {
					if strings.Contains(err.Error(), part) {
						t.Errorf("the error shows %s: %v", part, err)
					}
				}
			})
		}
	}
}

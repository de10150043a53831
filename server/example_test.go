package server_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/craton-fleet/craton/server"
)

// A server on a new file: the first project and root user, and a request of
// theirs.
func Example() {
	dir, err := os.MkdirTemp("", "craton")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := server.Open(ctx, "sqlite:"+filepath.Join(dir, "fleet.db"), server.Options{Create: true})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	b, err := s.Bootstrap(ctx)
	if err != nil {
		panic(err)
	}

	r := httptest.NewRequest(http.MethodGet, "/v1/clouds?id=1", nil)
	r.Header.Set("X-Auth-Project", b.ProjectID)
	r.Header.Set("X-Auth-User", b.Username)
	r.Header.Set("X-Auth-Token", b.APIKey)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	fmt.Println(w.Code)
	fmt.Print(w.Body)
	// Output:
	// 404
	// {
	//   "message": "Not Found",
	//   "status": 404
	// }
}

// The same API without a network or credentials, for the process that has
// the file.
func ExampleServer_Embedded() {
	dir, err := os.MkdirTemp("", "craton")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := server.Open(ctx, "sqlite:"+filepath.Join(dir, "fleet.db"), server.Options{Create: true})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	h, err := s.Embedded(ctx, "") // makes the project "default"
	if err != nil {
		panic(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/hosts/1/labels", nil))
	fmt.Println(w.Code)
	// Output: 404
}

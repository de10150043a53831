package server

import (
	"net/http"

	"github.com/craton-fleet/craton/server/api"
)

// HandlerAs is the API for one caller, whoever sends a request.
func (s *Server) HandlerAs(c api.Caller) http.Handler { return s.handler(s.api(api.Fixed(c)), "") }

package server

import (
	"net/http"
	"time"

	"github.com/craton-fleet/craton/server/api"
)

// HandlerAs is the API for one caller, whoever sends a request.
func (s *Server) HandlerAs(c api.Caller) http.Handler { return s.handler(s.api(api.Fixed(c)), "") }

// HandlerOver is what is around the API around something else.
func (s *Server) HandlerOver(h http.Handler) http.Handler { return s.handler(h, "") }

// WaitForPlaces sets how long requests wait for their place.
func (s *Server) WaitForPlaces(d time.Duration) { s.places.waitTimeout = d }

package iotronictest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// The version headers (§1.4). Iotronic's only version is 1.0.
const (
	versionHeader = "X-OpenStack-Iotronic-API-Version"
	minHeader     = "X-OpenStack-Iotronic-API-Minimum-Version"
	maxHeader     = "X-OpenStack-Iotronic-API-Maximum-Version"
	onlyVersion   = "1.0"
)

// answer writes a response.
type answer struct {
	w  http.ResponseWriter
	id string
}

// json responds with a JSON body. The request ID is in the header that servers use, although clients look for other
// names (§1.4).
func (a *answer) json(status int, body any) {
	h := a.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Openstack-Request-Id", a.id)
	a.w.WriteHeader(status)
	_ = json.NewEncoder(a.w).Encode(body)
}

// none responds without a body.
func (a *answer) none() {
	a.w.Header().Set("Openstack-Request-Id", a.id)
	a.w.WriteHeader(http.StatusNoContent)
}

// fault responds with an error of the API layer: a string that contains JSON, in a JSON object (§2.7).
func (a *answer) fault(status int, format string, args ...any) {
	code := "Client"
	if status >= 500 {
		code = "Server"
	}
	a.wrapped(status, map[string]any{"faultcode": code, "faultstring": fmt.Sprintf(format, args...), "debuginfo": nil})
}

// router responds with an error of the router, which has another form and often no description (§2.7).
func (a *answer) router(status int, description string) {
	a.wrapped(status, map[string]any{"code": status, "title": http.StatusText(status), "description": description})
}

func (a *answer) wrapped(status int, inner map[string]any) {
	text, _ := json.Marshal(inner)
	a.json(status, map[string]string{"error_message": string(text)})
}

// unauthorized responds like Keystone's middleware (§2.7).
func (a *answer) unauthorized() {
	a.w.Header().Set("WWW-Authenticate", `Keystone uri="http://keystone.invalid:5000"`)
	a.json(http.StatusUnauthorized, map[string]any{"error": map[string]any{
		"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication.",
	}})
}

// version checks the version header and reports whether it is acceptable; if not, it has responded with 406. The header
// applies only below /v1 (§1.5).
func (a *answer) version(r *http.Request) bool {
	asked := r.Header.Get(versionHeader)
	major, minor, dotted := strings.Cut(asked, ".")
	_, err1 := strconv.Atoi(major)
	_, err2 := strconv.Atoi(minor)
	readable := dotted && err1 == nil && err2 == nil
	if asked != "" && asked != "latest" && !readable {
		a.router(http.StatusNotAcceptable, "Invalid value for "+versionHeader+" header") // without a range of versions
		return false
	}
	a.w.Header().Set(minHeader, onlyVersion)
	a.w.Header().Set(maxHeader, onlyVersion)
	if readable && asked != onlyVersion {
		a.router(http.StatusNotAcceptable, "Version "+asked+" was requested but the minor version is not supported by this service. The supported version range is: ["+onlyVersion+", "+onlyVersion+"].")
		return false
	}
	a.w.Header().Set(versionHeader, onlyVersion)
	return true
}

package iotronictest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// The headers of versions (§1.4). Iotronic has 1.0 and nothing else.
const (
	versionHeader = "X-OpenStack-Iotronic-API-Version"
	minHeader     = "X-OpenStack-Iotronic-API-Minimum-Version"
	maxHeader     = "X-OpenStack-Iotronic-API-Maximum-Version"
	onlyVersion   = "1.0"
)

// answer writes what the server says.
type answer struct {
	w  http.ResponseWriter
	id string
}

// json answers in the name that servers give the request's id; clients look for others (§1.4).
func (a *answer) json(status int, body any) {
	h := a.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Openstack-Request-Id", a.id)
	a.w.WriteHeader(status)
	_ = json.NewEncoder(a.w).Encode(body)
}

// none answers without a body.
func (a *answer) none() {
	a.w.Header().Set("Openstack-Request-Id", a.id)
	a.w.WriteHeader(http.StatusNoContent)
}

// fault answers with an error of the API layer: JSON as a string in JSON (§2.7).
func (a *answer) fault(status int, format string, args ...any) {
	code := "Client"
	if status >= 500 {
		code = "Server"
	}
	a.wrapped(status, map[string]any{"faultcode": code, "faultstring": fmt.Sprintf(format, args...), "debuginfo": nil})
}

// router answers with an error of the router: another form, often without a word (§2.7).
func (a *answer) router(status int, description string) {
	a.wrapped(status, map[string]any{"code": status, "title": http.StatusText(status), "description": description})
}

func (a *answer) wrapped(status int, inner map[string]any) {
	text, _ := json.Marshal(inner)
	a.json(status, map[string]string{"error_message": string(text)})
}

// unauthorized answers as Keystone's middleware does (§2.7).
func (a *answer) unauthorized() {
	a.w.Header().Set("WWW-Authenticate", `Keystone uri="http://keystone.invalid:5000"`)
	a.json(http.StatusUnauthorized, map[string]any{"error": map[string]any{
		"code": 401, "title": "Unauthorized", "message": "The request you have made requires authentication.",
	}})
}

// version looks at the header of the version, under /v1 only, and answers where it is wrong (§1.5).
func (a *answer) version(r *http.Request) bool {
	asked := r.Header.Get(versionHeader)
	major, minor, dotted := strings.Cut(asked, ".")
	_, err1 := strconv.Atoi(major)
	_, err2 := strconv.Atoi(minor)
	readable := dotted && err1 == nil && err2 == nil
	if asked != "" && asked != "latest" && !readable {
		a.router(http.StatusNotAcceptable, "Invalid value for "+versionHeader+" header") // and no range
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

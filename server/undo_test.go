package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestUndo deletes a cloud through the API, and takes that back and back again.
func TestUndo(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a := f.a
	was := f.must(a.member, 200, "GET", "/v1/fleet?networks=true", "").Text
	f.must(a.member, 204, "DELETE", "/v1/clouds/"+a.cloud, "")
	last := f.must(a.member, 200, "GET", "/v1/changes?kind=cloud&id="+a.cloud, "").objects(t, "changes")
	gone := last[len(last)-1]
	number := gone["revision"].(json.Number).String()
	revision := number + "-" + gone["change"].(string)
	at := f.cursor(f.root)
	check := f.must(a.member, 200, "POST", "/v1/undo", `{"revision":"`+revision+`","check":true}`)
	if check.JSON["revision"] != nil || f.cursor(f.root) != at {
		t.Fatalf("a check has done something: %s", check.Text)
	}
	done := f.must(a.member, 200, "POST", "/v1/undo", `{"revision":`+number+`}`)
	if f.cursor(f.root) != done.JSON["revision"] || len(done.objects(t, "steps")) != len(check.objects(t, "steps")) {
		t.Errorf("%s\nbut the check said\n%s", done.Text, check.Text)
	}
	if is := f.must(a.member, 200, "GET", "/v1/fleet?networks=true", "").Text; is != was {
		t.Errorf("it is\n%s\nwas\n%s", is, was)
	}
	entry := f.must(a.member, 200, "GET", "/v1/changes?after="+at, "").objects(t, "changes")[0]
	if entry["message"] != "undo of revision "+revision || entry["user"] != a.member.user {
		t.Errorf("the log has %v", entry)
	}
	request, _ := entry["request_id"].(string)
	f.must(a.member, 200, "POST", "/v1/undo", `{"request_id":"`+request+`"}`)
	if f.call(a.member, "GET", "/v1/clouds/"+a.cloud, "").Status != 404 {
		t.Error("the undo of the undo did nothing")
	}
}

// TestUndoErrors: what cannot be undone is refused, and whoever may not.
func TestUndoErrors(t *testing.T) {
	t.Parallel()
	f := newTenants(t)
	a, b := f.a, f.b
	region := "/v1/regions/" + a.region + "/variables"
	f.must(a.member, 200, "PUT", region, `{"ntp":"one"}`)
	revision, _, _ := strings.Cut(f.cursor(f.root), "-")
	f.must(a.member, 200, "PUT", region, `{"ntp":"two"}`)
	f.must(f.root, 200, "PUT", "/v1/projects/"+a.project+"/variables", `{"x":1}`)
	project, _, _ := strings.Cut(f.cursor(f.root), "-")
	f.must(f.root, 201, "POST", "/v1/users", `{"username":"x","project_id":"`+a.project+`"}`)
	user, _, _ := strings.Cut(f.cursor(f.root), "-")
	at := f.cursor(f.root)
	for _, test := range []struct {
		who     caller
		body    string
		status  int
		message string
	}{
		{a.member, `{"revision":` + revision + `}`, 409, "region c/r has another value in ntp. Nothing was undone"},
		{b.member, `{"revision":` + revision + `}`, 404, "Not Found"},
		{b.admin, `{"revision":` + revision + `,"force":true}`, 404, "Not Found"},
		{a.member, `{"revision":` + project + `}`, 401, "admin"},
		{a.member, `{"revision":` + user + `}`, 401, "admin"},
		{f.root, `{"revision":99999}`, 400, "no revision 99999 yet"},
		{f.root, `{"request_id":"\u0000"}`, 404, "no changes of the request"},
		{f.root, `{"revision":0}`, 404, ""},
		{f.root, `{"revision":"1-0123456789abcdef"}`, 410, "read all again"},
		{f.root, `{"revision":"yesterday"}`, 400, "revision: it is a number"},
		{f.root, `{"revision":true}`, 400, "is not of type"},
		{f.root, `{"request_id":"none"}`, 404, `no changes of the request "none"`},
		{f.root, `{"request_id":""}`, 400, "empty"},
		{f.root, `{}`, 400, "either a 'revision' or a 'request_id'"},
		{f.root, `{"revision":1,"request_id":"x"}`, 400, "either a 'revision' or a 'request_id'"},
		{f.root, `{"revision":1,"bogus":1}`, 400, "bogus"},
		{f.root, `{"revision":1,"concealed":"show"}`, 400, "must be \"omit\""},
		{f.root, `[]`, 400, ""},
	} {
		got := f.call(test.who, "POST", "/v1/undo", test.body)
		if got.Status != test.status || !strings.Contains(got.message(), test.message) {
			t.Errorf("%s %s: %d %s", test.who.user, test.body, got.Status, got.Text)
		}
	}
	if f.cursor(f.root) != at {
		t.Error("something was written")
	}
	f.must(a.member, 200, "POST", "/v1/undo", `{"revision":`+revision+`,"force":true}`)
	if text := f.must(a.member, 200, "GET", region, "").Text; strings.Contains(text, "ntp") {
		t.Error("it was not forced:", text)
	}
}

// TestUndoConceals: what the log has only a hash of is named, or left alone.
func TestUndoConceals(t *testing.T) {
	t.Parallel()
	f := tenantsOf(concealing(t, "hidden"))
	host := "/v1/hosts/" + f.a.host
	f.must(f.a.member, 200, "PUT", host+"/variables", `{"hidden":"uno","open":1}`)
	f.must(f.a.member, 200, "PUT", host+"/variables", `{"hidden":"due","open":2}`)
	revision, _, _ := strings.Cut(f.cursor(f.root), "-")
	got := f.call(f.a.member, "POST", "/v1/undo", `{"revision":`+revision+`}`)
	if got.Status != 409 || !strings.Contains(got.message(), "Of hidden") {
		t.Errorf("%d %s", got.Status, got.Text)
	}
	got = f.must(f.a.member, 200, "POST", "/v1/undo", `{"revision":`+revision+`,"concealed":"omit"}`)
	if left := fmt.Sprint(got.JSON["left"]); !strings.Contains(left, "hidden") || strings.Contains(got.Text, "uno") || strings.Contains(got.Text, "due") {
		t.Error(got.Text)
	}
	if text := f.must(f.a.member, 200, "GET", host+"/variables", "").Text; !strings.Contains(text, `"hidden": "due"`) || !strings.Contains(text, `"open": 1`) {
		t.Error(text)
	}
}

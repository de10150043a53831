package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSecretKeys: in a dict of any keys some name secrets. Those are masked in all that is said, and nothing else.
func TestSecretKeys(t *testing.T) {
	t.Parallel()
	info := Option{Name: "info", Type: Dict, Aliases: []string{"driver_info"}, NoLogKeys: []string{"password", "Token"}}
	echo := func(_ context.Context, task *Task) (*Result, error) {
		for _, text := range []string{"hunter2", "4711", "ann", "true"} {
			task.Warn(text)
		}
		return &Result{Msg: "with hunter2 of ann"}, nil
	}
	for args, want := range map[string]map[string]any{
		`{"info": {"ipmi_Password": "hunter2", "user": "ann", "deep": [{"TOKENS": [4711, {"a": "b1"}], "n": 1}], "my_password": null}}`: {
			"ipmi_Password": noLogValue, "user": "ann", "deep": []any{map[string]any{"TOKENS": noLogValue, "n": json.Number("1")}}, "my_password": nil},
		`{"driver_info": "password=hunter2,user=ann,token=4711"}`: {"password": noLogValue, "user": "ann", "token": noLogValue},
	} {
		r := start(t, modul(echo, info), args)
		if bytes.Contains(r.raw, []byte("hunter2")) || bytes.Contains(r.raw, []byte("4711")) {
			t.Errorf("%s: %s", args, r.raw)
		}
		if diff := cmp.Diff(want, r.m["invocation"].(map[string]any)["module_args"].(map[string]any)["info"]); diff != "" {
			t.Errorf("%s: %s", args, diff)
		}
		if diff := cmp.Diff([]any{noLogValue, noLogValue, "ann", "true"}, r.m["warnings"]); r.m["msg"] != "with ******** of ann" || diff != "" {
			t.Errorf("%s: %s", args, r.raw)
		}
	}
	for _, args := range []string{`{"info": "{'password': 'hunter2'"}`, `{"info": "password hunter2"}`, `{"info": ["hunter2"]}`, `{"info": {"password": "hunter2"}, "hunter2": 1}`} {
		if r := start(t, modul(echo, info), args); r.m["failed"] != true || bytes.Contains(r.raw, []byte("hunter2")) {
			t.Errorf("%s: %s", args, r.raw)
		}
	}
	for _, bad := range []Option{{Name: "a", NoLogKeys: []string{"x"}}, {Name: "a", Type: Dict, NoLogKeys: []string{"x"}, Options: []Option{{Name: "b"}}}} {
		if (&Spec{Name: "m", Options: []Option{bad}}).Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

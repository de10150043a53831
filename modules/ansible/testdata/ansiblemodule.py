"""Runs cases through the AnsibleModule of the ansible-core that this Python has.

stdin: a line of JSON a case: {"spec": {argument_spec, rules...}, "args": {...}, "env": {...}}
stdout: a line of JSON a case: {"outcome": "ok"|"failed"|"crashed", "msg", "params", "warnings", "output"}
"""
import contextlib
import io
import json
import os
import sys

from ansible.module_utils import basic
from ansible.module_utils.basic import AnsibleModule, env_fallback
from ansible.module_utils.common import warnings
from ansible.module_utils.common.parameters import PASS_VARS

KEPT = dict(os.environ)


def prepare(options):
    """Turn "env": [...] into the fallback that only Python can write."""
    for option in options.values():
        if "env" in option:
            option["fallback"] = (env_fallback, option.pop("env"))
        if "options" in option:
            prepare(option["options"])
    return options


def run(case):
    os.environ.clear()
    os.environ.update(KEPT)
    os.environ.update(case.get("env") or {})
    for name in ("_global_warnings", "_global_deprecations"):
        getattr(warnings, name).clear()
    args = dict(case["args"], _ansible_no_log=True, _ansible_module_name="mod")
    if "inject_invocation" in PASS_VARS:
        args["_ansible_inject_invocation"] = True
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    spec = dict(case["spec"])
    prepare(spec["argument_spec"])
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            module = AnsibleModule(supports_check_mode=True, **spec)
            module.exit_json(changed=False, params=module.params, **(case.get("result") or {}))
    except SystemExit:
        pass
    except BaseException as e:
        return {"outcome": "crashed", "msg": "%s: %s" % (type(e).__name__, e)}
    output = json.loads(out.getvalue(), parse_constant=lambda name: {"constant": name})  # nan is no JSON
    return {
        "outcome": "failed" if output.get("failed") else "ok",
        "msg": output.get("msg", ""),
        "params": output.get("params"),
        "warnings": [str(w.get("event", w).get("msg", w)) if isinstance(w, dict) else str(w) for w in output.get("warnings", [])],
        "output": output,
    }


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)

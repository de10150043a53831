"""Serve a machine with Redfish, the fake one of sushy-tools, on the socket that is file descriptor 3.

emulator.conf is the emulator's own configuration. What it is asked to change is a line in the file orders.
"""
import os
import types

os.environ["SUSHY_EMULATOR_CONFIG"] = "emulator.conf"  # is read by the import

import flask
from sushy_tools.emulator.main import app
from sushy_tools.emulator.resources.systems import fakedriver
from werkzeug.serving import make_server

BOOT = ("BootSourceOverrideEnabled", "BootSourceOverrideTarget")
BOOTS = ("On", "ForceOn", "ForceRestart", "GracefulRestart")

# Its power takes up to 11 seconds to go on or off; here it takes up to one.
fakedriver.random = types.SimpleNamespace(randint=lambda *_: 1)

# It has what an inspection wants to know.
fakedriver.FakeDriver.get_total_memory = lambda *_: 16
fakedriver.FakeDriver.get_total_cpus = lambda *_: 8
fakedriver.FakeDriver.get_processors = lambda *_: [
    {"id": "CPU0", "Id": "CPU0", "socket": "CPU 0", "vendor": "Tests", "model": "T-800", "cores": 8, "threads": 8}
]

# The emulator takes each boot device for one that lasts. This machine boots once from a device that was set for once.
boot = dict.fromkeys(BOOT)


@app.after_request
def remember(response):
    asked = flask.request
    if asked.method in ("PATCH", "POST") and response.status_code < 400:
        with open("orders", "ab") as f:
            f.write(b"%s %s %s\n" % (asked.method.encode(), asked.path.encode(), asked.get_data()))
        order = asked.get_json(silent=True) or {}
        boot.update((key, value) for key, value in order.get("Boot", {}).items() if key in BOOT)
        if order.get("ResetType") in BOOTS and boot[BOOT[0]] == "Once":
            boot.update(zip(BOOT, ("Disabled", "None")))
    elif asked.endpoint == "system_resource" and response.status_code == 200:
        system = response.get_json()
        system["Boot"].update((key, value) for key, value in boot.items() if value)
        response.set_data(flask.json.dumps(system))
    return response


make_server("127.0.0.1", 0, app, threaded=True, fd=3).serve_forever()

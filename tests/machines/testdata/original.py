"""Writes hosts with the original client, and says of each what it heard.

Usage: original.py URL USER KEY PROJECT CLOUD REGION, with a Python that has cratonclient and keystoneauth1. Each round
creates a host, reads it, and finds it in a list; a line of standard output is the JSON object
{"name": NAME, "heard": "acknowledged" | "refused" | "unknown", "missed": PATH or null, "error": its message or null}. It ends when its standard input does. An
error that the client does not have as one of its own, or keystoneauth's, ends it with a traceback.
"""
import json
import sys
import threading
import time

from cratonclient import auth, exceptions
from cratonclient.v1 import client
from keystoneauth1.exceptions import ClientException

url, user, key, project, cloud, region = sys.argv[1:]
craton = client.Client(session=auth.craton_auth(username=user, token=key, project_id=project), url=url + "/v1")
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()


def attempt(call):
    """Returns what a call returns, and the error if it failed."""
    try:
        return call(), None
    except (exceptions.ClientException, ClientException) as error:
        return None, error


def message(error):
    """Returns what an error says: the server's message if it is an answer's."""
    response = getattr(error, "response", None)
    return str(error) if response is None else response.json()["message"]


n = 0
while not ended.is_set():
    n += 1
    name = f"original-{n}"
    host, error = attempt(lambda: craton.hosts.create(
        name=name, ip_address="192.0.2.2", device_type="server", cloud_id=int(cloud), region_id=int(region)))
    heard, missed = "acknowledged", None
    if error is not None:
        heard = "refused" if "Nothing was changed" in message(error) else "unknown"
    else:
        _, error = attempt(lambda: craton.hosts.get(host.id))
        if isinstance(error, exceptions.NotFound):
            missed = f"/v1/hosts/{host.id}"
        found, error = attempt(lambda: [h.name for h in craton.hosts.list(name=name, region_id=int(region))])
        if error is None and found != [name]:
            missed = f"/v1/hosts?name={name}"
    print(json.dumps({"name": name, "heard": heard, "missed": missed, "error": error and message(error)}), flush=True)
    time.sleep(0.03)

"""Does what it is told with openstacksdk: a call of its Bare Metal service a line, as JSON, on standard input."""
import json
import sys

import openstack
import requests
from openstack import resource

url = sys.argv[1]
service = openstack.connection.Connection(
    auth_type="none", endpoint=url, baremetal_endpoint_override=url).baremetal


def plain(value):
    """What the service says of an object, by its own names."""
    if isinstance(value, resource.Resource):
        return {key: inner for key, inner in value._body.attributes.items()}
    if isinstance(value, requests.Response): # of a request that has no function
        return value.json()
    if isinstance(value, (str, int, float, bool, dict, type(None))):
        return value
    return [plain(inner) for inner in value]


for line in sys.stdin:
    call = json.loads(line)
    try:
        answer = {"is": plain(getattr(service, call["call"])(*call["args"], **call["options"]))}
    except Exception as error:
        answer = {"failed": "%s: %s" % (type(error).__name__, error)}
    print(json.dumps(answer, default=str), flush=True)

"""Does what it is told with a client of OpenStack's: a call a line, as JSON, on standard input.

usage: client.py openstacksdk|python-ironicclient URL
"""
import json
import operator
import sys
import time


def openstacksdk(url):
    import openstack

    return openstack.connection.Connection(
        auth_type="none", endpoint=url, baremetal_endpoint_override=url).baremetal


def ironicclient(url):
    from ironicclient import client

    # A node keeps its lock for a moment after each change.
    return client.get_client(
        1, endpoint=url, os_ironic_api_version="latest", max_retries=60, retry_interval=1)


def plain(value):
    """What the service says of an object, by its own names."""
    if hasattr(value, "to_dict") and hasattr(value, "_body"): # an object of openstacksdk
        return dict(value._body.attributes.items())
    if hasattr(value, "to_dict"): # one of python-ironicclient
        return value.to_dict()
    if hasattr(value, "status_code"): # a request that has no function
        return value.json()
    if isinstance(value, (str, int, float, bool, dict, type(None))):
        return value
    return [plain(inner) for inner in value]


service = {"openstacksdk": openstacksdk, "python-ironicclient": ironicclient}[sys.argv[1]](sys.argv[2])
for line in sys.stdin:
    call = json.loads(line)
    for left in reversed(range(20)):
        try:
            does = operator.attrgetter(call["call"])(service)
            answer = {"is": plain(does(*call["args"], **call["options"]))}
        except Exception as error:
            # Ironic on SQLite has rolled that back.
            if left and "database is locked" in str(error):
                time.sleep(0.2)
                continue
            answer = {"failed": "%s: %s" % (type(error).__name__, error)}
        break
    print(json.dumps(answer, default=str), flush=True)

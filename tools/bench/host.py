#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""A host of Craton, ensured by AnsibleModule and its urls library: what `make bench` measures craton_host against."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
---
module: host
short_description: Ensure a host of Craton
description:
  - Creates the host, or sets what differs. An unchanged host costs the two requests that craton_host makes for it.
author:
  - The craton.fleet authors
options:
  url: {type: str, required: true, description: [The API.]}
  username: {type: str, required: true, description: [The user.]}
  password: {type: str, required: true, description: [The API key of the user.]}
  project_id: {type: str, required: true, description: [The project.]}
  timeout: {type: int, default: 60, description: [Seconds that a request may take.]}
  validate_certs: {type: bool, default: true, description: [Whether the server's certificate is verified.]}
  region: {type: str, required: true, description: [The name of the region.]}
  name: {type: str, required: true, description: [The name of the host.]}
  ip_address: {type: str, required: true, description: [The address.]}
  device_type: {type: str, required: true, description: [What sort of device it is.]}
  variables: {type: dict, default: {}, description: [Variables to set.]}
'''

import json
from urllib.parse import urlencode

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import fetch_url


class Craton:
    """The API, as far as the module needs it."""

    def __init__(self, module):
        self.module = module
        params = module.params
        self.base = params['url'].rstrip('/') + '/v1'
        self.headers = {
            'Accept': 'application/json',
            'Content-Type': 'application/json',
            'X-Auth-User': params['username'],
            'X-Auth-Token': params['password'],
            'X-Auth-Project': params['project_id'],
        }

    def call(self, method, path, query=None, body=None, missing=None):
        """What the API answers; missing for 404, if that is given."""
        url = self.base + path
        if query:
            url += '?' + urlencode(query)
        response, info = fetch_url(self.module, url, method=method, headers=self.headers, timeout=self.module.params['timeout'],
                                   data=None if body is None else json.dumps(body))
        if info['status'] == 404 and missing is not None:
            return missing
        if info['status'] >= 400 or response is None:
            self.module.fail_json(msg='%s %s: %s' % (method, url, info['msg']), status=info['status'], body=info.get('body'))
        return json.loads(response.read())

    def one(self, collection, query):
        """The one object that matches, or None."""
        found = self.call('GET', '/' + collection, query, missing={collection: []})[collection]  # 404 is none of a name
        if len(found) > 1:
            self.module.fail_json(msg='%d %s match %s' % (len(found), collection, query))
        return found[0] if found else None


def ensure(module, api):
    params = module.params
    region = api.one('regions', {'name': params['region']})
    if region is None:
        module.fail_json(msg='there is no region %s' % params['region'])
    fields = {'ip_address': params['ip_address'], 'device_type': params['device_type']}
    host = api.one('hosts', {'name': params['name'], 'region_id': region['id'], 'cloud_id': region['cloud_id'],
                             'details': 'true', 'resolved-values': 'false'})
    if host is None:
        fields.update(name=params['name'], region_id=region['id'], cloud_id=region['cloud_id'], active=True, variables=params['variables'])
        return True, fields if module.check_mode else api.call('POST', '/hosts', body=fields)

    changes = dict((key, value) for key, value in fields.items() if host[key] != value)
    variables = dict((key, value) for key, value in params['variables'].items()
                     if key not in host['variables'] or host['variables'][key] != value)
    if not module.check_mode:
        if changes:
            api.call('PUT', '/hosts/%d' % host['id'], body=changes)
        if variables:
            api.call('PUT', '/hosts/%d/variables' % host['id'], body=variables)
    host.update(changes)
    host['variables'].update(variables)
    return bool(changes or variables), host


def main():
    module = AnsibleModule(
        argument_spec={
            'url': {'type': 'str', 'required': True},
            'username': {'type': 'str', 'required': True},
            'password': {'type': 'str', 'required': True, 'no_log': True},
            'project_id': {'type': 'str', 'required': True},
            'timeout': {'type': 'int', 'default': 60},
            'validate_certs': {'type': 'bool', 'default': True},
            'region': {'type': 'str', 'required': True},
            'name': {'type': 'str', 'required': True},
            'ip_address': {'type': 'str', 'required': True},
            'device_type': {'type': 'str', 'required': True},
            'variables': {'type': 'dict', 'default': {}},
        },
        supports_check_mode=True,
    )
    changed, host = ensure(module, Craton(module))
    module.exit_json(changed=changed, host=host)


if __name__ == '__main__':
    main()

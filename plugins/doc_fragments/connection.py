# -*- coding: utf-8 -*-
# Generated from the modules' specs. Do not edit.
from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    DOCUMENTATION = r'''
---
options:
  ca_path:
    description:
      - PEM file or directory of certificates to trust instead of the system's.
      - If the task does not set it, the environment variable C(CRATON_CA_PATH) is used.
    type: path
  client_cert:
    description:
      - PEM file of a client certificate.
      - If the task does not set it, the environment variable C(CRATON_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - PEM file of the client certificate's key.
      - If the task does not set it, the environment variable C(CRATON_CLIENT_KEY) is used.
    type: path
  password:
    description:
      - The user's API key.
      - If the task does not set it, the environment variable C(OS_PASSWORD) is used.
    type: str
  project_id:
    description:
      - UUID of the project the user belongs to.
      - If the task does not set it, the environment variable C(OS_PROJECT_ID) is used.
    type: str
  retries:
    description:
      - How often a failed request is repeated.
      - If the task does not set it, the environment variable C(CRATON_RETRIES) is used.
    type: int
    default: 4
  timeout:
    description:
      - Bound of one request in seconds; 0 is none.
      - If the task does not set it, the environment variable C(CRATON_TIMEOUT) is used.
    type: str
    default: "60"
  url:
    description:
      - 'Where the fleet lives: http(s)://HOST:PORT of a Craton API, or sqlite:PATH.'
      - If the task does not set it, the environment variable C(CRATON_URL) is used.
    type: str
  username:
    description:
      - Craton user.
      - If the task does not set it, the environment variable C(OS_USERNAME) is used.
    type: str
  validate_certs:
    description:
      - Verify the server's certificate.
      - If the task does not set it, the environment variable C(CRATON_VALIDATE_CERTS) is used.
    type: bool
    default: true
notes:
  - 'What no option and no environment variable gives is taken from the configuration file of the machine that the module runs on: the one that E(CRATON_CONFIG) names, else C(~/.config/craton/config.yml), else C(/etc/craton/config.yml).'
  - 'With C(url: sqlite:PATH) the fleet is a file on the machine that the module runs on. No server and no credentials are needed; tasks that are to change one file must run on one machine, so use C(delegate_to) or C(connection: local).'
  - Set the connection once for all modules with C(module_defaults) and the group C(craton.fleet.craton).
'''

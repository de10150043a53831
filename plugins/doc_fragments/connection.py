# -*- coding: utf-8 -*-
# Generated from the modules' specs. Do not edit.
from __future__ import absolute_import, division, print_function

__metaclass__ = type


class ModuleDocFragment(object):
    DOCUMENTATION = r'''
---
options:
  application_credential_id:
    description:
      - Id of an application credential.
      - If the task does not set it, the environment variable C(OS_APPLICATION_CREDENTIAL_ID) is used.
    type: str
  application_credential_name:
    description:
      - Name of an application credential of the user, instead of its id.
      - If the task does not set it, the environment variable C(OS_APPLICATION_CREDENTIAL_NAME) is used.
    type: str
  application_credential_secret:
    description:
      - The application credential's secret.
      - If the task does not set it, the environment variable C(OS_APPLICATION_CREDENTIAL_SECRET) is used.
    type: str
  auth_type:
    description:
      - 'How to sign in: password, v3applicationcredential or token, by default what there is; local means Craton''s own
          users even if Keystone is set; none and http_basic are for an Ironic that stands alone, without users or with
          its own.'
      - If the task does not set it, the environment variable C(OS_AUTH_TYPE) is used.
    type: str
  auth_url:
    description:
      - Keystone's address, such as https://keystone.example:5000/v3; with it, or with os_cloud, users and projects are
          those of Keystone.
      - If the task does not set it, the environment variable C(OS_AUTH_URL) is used.
    type: str
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
  default_domain:
    description:
      - Id of the domain of users and projects for which none is given; default if this is not given either.
      - If the task does not set it, the environment variable C(OS_DEFAULT_DOMAIN) or C(OS_DEFAULT_DOMAIN_ID) is used.
    type: str
  domain_id:
    description:
      - Id of the domain to sign in for, if there is no project; beside a project, of the user's and the project's
          domain.
      - If the task does not set it, the environment variable C(OS_DOMAIN_ID) is used.
    type: str
  domain_name:
    description:
      - Name of the domain to sign in for, if there is no project; beside a project, of the user's and the project's
          domain.
      - If the task does not set it, the environment variable C(OS_DOMAIN_NAME) is used.
    type: str
  max_connections:
    description:
      - How many requests may be under way at once; 0 is 4 for a server that takes few, such as the original one, and
          else no bound.
      - If the task does not set it, the environment variable C(CRATON_MAX_CONNECTIONS) is used.
    type: int
    default: 0
  no_token_cache:
    description:
      - Keep no tokens in files for other processes of the user.
      - If the task does not set it, the environment variable C(CRATON_NO_TOKEN_CACHE) is used.
    type: bool
    default: false
  os_cacert:
    description:
      - 'PEM file of certificates to trust instead of the system''s: for Keystone, and where ca_path is not set for the
          service too.'
      - If the task does not set it, the environment variable C(OS_CACERT) is used.
    type: path
  os_cert:
    description:
      - 'PEM file of a client certificate: for Keystone, and where client_cert is not set for the service too.'
      - If the task does not set it, the environment variable C(OS_CERT) is used.
    type: path
  os_cloud:
    description:
      - Cloud of a clouds.yaml, which says all of Keystone that is not set in the same place as this, or in one that
          counts more.
      - If the task does not set it, the environment variable C(OS_CLOUD) is used.
    type: str
  os_insecure:
    description:
      - 'Do not verify certificates: Keystone''s, and where validate_certs is not set the service''s.'
      - If the task does not set it, the environment variable C(OS_INSECURE) is used.
    type: bool
    default: false
  os_interface:
    description:
      - 'Interface of the service''s address in the catalogue: public, internal or admin; public if not set.'
      - If the task does not set it, the environment variable C(OS_INTERFACE) or C(OS_ENDPOINT_TYPE) is used.
    type: str
  os_key:
    description:
      - PEM file of the key of os_cert.
      - If the task does not set it, the environment variable C(OS_KEY) is used.
    type: path
  os_region_name:
    description:
      - Region of Keystone's catalogue in which the service's address is looked for when no url is set; any if not set.
      - If the task does not set it, the environment variable C(OS_REGION_NAME) is used.
    type: str
  password:
    description:
      - The user's password in Keystone, or API key in Craton.
      - If the task does not set it, the environment variable C(OS_PASSWORD) is used.
    type: str
  project_domain_id:
    description:
      - Id of the project's domain.
      - If the task does not set it, the environment variable C(OS_PROJECT_DOMAIN_ID) is used.
    type: str
  project_domain_name:
    description:
      - Name of the project's domain.
      - If the task does not set it, the environment variable C(OS_PROJECT_DOMAIN_NAME) is used.
    type: str
  project_id:
    description:
      - Id of the project in Keystone, or UUID of the project the user belongs to in Craton.
      - If the task does not set it, the environment variable C(OS_PROJECT_ID) or C(OS_TENANT_ID) is used.
    type: str
  project_name:
    description:
      - Name of the project, instead of project_id.
      - If the task does not set it, the environment variable C(OS_PROJECT_NAME) or C(OS_TENANT_NAME) is used.
    type: str
  reauthenticate:
    description:
      - Make another token when one ends.
      - If the task does not set it, the environment variable C(CRATON_REAUTHENTICATE) is used.
    type: bool
    default: true
  retries:
    description:
      - How often a failed request to Craton or Keystone is repeated.
      - If the task does not set it, the environment variable C(CRATON_RETRIES) is used.
    type: int
    default: 4
  system_scope:
    description:
      - All signs in for the system, instead of a project; for services that know that, which Craton does not.
      - If the task does not set it, the environment variable C(OS_SYSTEM_SCOPE) is used.
    type: str
  timeout:
    description:
      - Bound of one request in seconds; 0 is none.
      - If the task does not set it, the environment variable C(CRATON_TIMEOUT) is used.
    type: str
    default: "60"
  token:
    description:
      - A token that Keystone has made.
      - If the task does not set it, the environment variable C(OS_TOKEN) or C(OS_AUTH_TOKEN) is used.
    type: str
  trust_id:
    description:
      - Id of a trust to sign in with, instead of a project.
      - If the task does not set it, the environment variable C(OS_TRUST_ID) is used.
    type: str
  url:
    description:
      - 'Where the fleet lives: http(s)://HOST:PORT of a Craton API, or sqlite:PATH; with Keystone, by default what its
          catalogue says.'
      - If the task does not set it, the environment variable C(CRATON_URL) is used.
    type: str
  user_domain_id:
    description:
      - Id of the user's domain.
      - If the task does not set it, the environment variable C(OS_USER_DOMAIN_ID) is used.
    type: str
  user_domain_name:
    description:
      - Name of the user's domain.
      - If the task does not set it, the environment variable C(OS_USER_DOMAIN_NAME) is used.
    type: str
  user_id:
    description:
      - Id of the user, instead of username.
      - If the task does not set it, the environment variable C(OS_USER_ID) is used.
    type: str
  username:
    description:
      - User, of Keystone or Craton.
      - If the task does not set it, the environment variable C(OS_USERNAME) is used.
    type: str
  validate_certs:
    description:
      - Verify the server's certificate.
      - If the task does not set it, the environment variable C(CRATON_VALIDATE_CERTS) is used.
    type: bool
    default: true
notes:
  - 'What neither an option nor an environment variable sets comes from the configuration file of the machine that runs
      the module: the one that E(CRATON_CONFIG) names, else C(~/.config/craton/config.yml), else
      C(/etc/craton/config.yml).'
  - 'With C(url: sqlite:PATH) the fleet is a file on the machine that runs the module. It needs no server and no
      credentials; all tasks that change one file must run on one machine, so use C(delegate_to) or C(connection:
      local).'
  - With O(auth_url) or O(os_cloud), or their environment variables, users and projects are those of Keystone. Tokens
      are cached for other tasks in C(~/.cache/craton/tokens) of the user that runs the module; see O(no_token_cache).
  - Set the connection once for all modules with C(module_defaults) and the group C(craton.fleet.craton).
'''

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
      - 'How to sign in: password, v3applicationcredential or token, by default whichever has credentials; local uses
          Craton''s own users even if Keystone is configured; none and http_basic are for a standalone Ironic, without
          users or with its own.'
      - If the task does not set it, the environment variable C(OS_AUTH_TYPE) is used.
    type: str
  auth_url:
    description:
      - URL of Keystone, such as https://keystone.example:5000/v3; with this or os_cloud, users and projects come from
          Keystone.
      - If the task does not set it, the environment variable C(OS_AUTH_URL) is used.
    type: str
  ca_path:
    description:
      - PEM file or directory of CA certificates to trust instead of the system's.
      - If the task does not set it, the environment variable C(CRATON_CA_PATH) is used.
    type: path
  client_cert:
    description:
      - PEM file with a client certificate.
      - If the task does not set it, the environment variable C(CRATON_CLIENT_CERT) is used.
    type: path
  client_key:
    description:
      - PEM file with the key of the client certificate.
      - If the task does not set it, the environment variable C(CRATON_CLIENT_KEY) is used.
    type: path
  default_domain:
    description:
      - Id of the domain to use for users and projects if no domain is given; by default the id default.
      - If the task does not set it, the environment variable C(OS_DEFAULT_DOMAIN) or C(OS_DEFAULT_DOMAIN_ID) is used.
    type: str
  domain_id:
    description:
      - Id of the domain to sign in to if no project is given; with a project, the domain of both user and project.
      - If the task does not set it, the environment variable C(OS_DOMAIN_ID) is used.
    type: str
  domain_name:
    description:
      - Name of the domain to sign in to if no project is given; with a project, the domain of both user and project.
      - If the task does not set it, the environment variable C(OS_DOMAIN_NAME) is used.
    type: str
  max_connections:
    description:
      - Maximum number of concurrent requests; 0 means 4 for a server that handles few concurrent requests, such as the
          original one, and no limit otherwise.
      - If the task does not set it, the environment variable C(CRATON_MAX_CONNECTIONS) is used.
    type: int
    default: 0
  no_token_cache:
    description:
      - Do not share tokens in files with other processes of the user.
      - If the task does not set it, the environment variable C(CRATON_NO_TOKEN_CACHE) is used.
    type: bool
    default: false
  os_cacert:
    description:
      - PEM file of CA certificates to trust instead of the system's, for Keystone, and for the service too if ca_path
          is not set.
      - If the task does not set it, the environment variable C(OS_CACERT) is used.
    type: path
  os_cert:
    description:
      - PEM file with a client certificate for Keystone, and for the service too if client_cert is not set.
      - If the task does not set it, the environment variable C(OS_CERT) is used.
    type: path
  os_cloud:
    description:
      - Cloud in clouds.yaml; its Keystone settings are overridden only by settings from the same source (flags,
          environment or file), or from a source of higher precedence.
      - If the task does not set it, the environment variable C(OS_CLOUD) is used.
    type: str
  os_insecure:
    description:
      - Do not verify Keystone's certificate; if validate_certs is not set, do not verify the service's certificate
          either.
      - If the task does not set it, the environment variable C(OS_INSECURE) is used.
    type: bool
    default: false
  os_interface:
    description:
      - 'Interface of the service''s endpoint in the catalogue: public, internal or admin; by default public.'
      - If the task does not set it, the environment variable C(OS_INTERFACE) or C(OS_ENDPOINT_TYPE) is used.
    type: str
  os_key:
    description:
      - PEM file with the key of os_cert.
      - If the task does not set it, the environment variable C(OS_KEY) is used.
    type: path
  os_region_name:
    description:
      - Region of Keystone's catalogue in which to find the service's endpoint if url is not set; by default any
          region.
      - If the task does not set it, the environment variable C(OS_REGION_NAME) is used.
    type: str
  password:
    description:
      - The user's Keystone password, or Craton API key.
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
      - Id of the Keystone project, or UUID of the user's Craton project.
      - If the task does not set it, the environment variable C(OS_PROJECT_ID) or C(OS_TENANT_ID) is used.
    type: str
  project_name:
    description:
      - Name of the project, instead of project_id.
      - If the task does not set it, the environment variable C(OS_PROJECT_NAME) or C(OS_TENANT_NAME) is used.
    type: str
  reauthenticate:
    description:
      - Request a new token when one expires.
      - If the task does not set it, the environment variable C(CRATON_REAUTHENTICATE) is used.
    type: bool
    default: true
  retries:
    description:
      - Number of retries of a failed request to Craton or Keystone.
      - If the task does not set it, the environment variable C(CRATON_RETRIES) is used.
    type: int
    default: 4
  system_scope:
    description:
      - All signs in to the system instead of a project, for services that support that; Craton does not.
      - If the task does not set it, the environment variable C(OS_SYSTEM_SCOPE) is used.
    type: str
  timeout:
    description:
      - Timeout of one request in seconds; 0 for no timeout.
      - If the task does not set it, the environment variable C(CRATON_TIMEOUT) is used.
    type: str
    default: "60"
  token:
    description:
      - A token issued by Keystone.
      - If the task does not set it, the environment variable C(OS_TOKEN) or C(OS_AUTH_TOKEN) is used.
    type: str
  trust_id:
    description:
      - Id of a trust to use instead of a project.
      - If the task does not set it, the environment variable C(OS_TRUST_ID) is used.
    type: str
  url:
    description:
      - 'Location of the fleet: http(s)://HOST:PORT of a Craton API, or sqlite:PATH; with Keystone, defaults to the
          endpoint in its catalogue.'
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
      - Name of the user, in Keystone or Craton.
      - If the task does not set it, the environment variable C(OS_USERNAME) is used.
    type: str
  validate_certs:
    description:
      - Verify the server's certificate.
      - If the task does not set it, the environment variable C(CRATON_VALIDATE_CERTS) is used.
    type: bool
    default: true
notes:
  - 'Settings that neither an option nor an environment variable sets are read from the configuration file on the
      machine that runs the module: the file in E(CRATON_CONFIG), or else C(~/.config/craton/config.yml), or else
      C(/etc/craton/config.yml).'
  - 'With C(url: sqlite:PATH) the fleet is a SQLite file on the machine that runs the module, and no server or
      credentials are needed. All tasks for one file must run on one machine, so use C(delegate_to) or C(connection:
      local).'
  - With O(auth_url) or O(os_cloud), or their environment variables, users and projects are those of Keystone. The
      module caches tokens for other tasks in C(~/.cache/craton/tokens) of the user that runs the module; see
      O(no_token_cache).
  - Set the connection once for all modules with C(module_defaults) and the group C(craton.fleet.craton).
'''

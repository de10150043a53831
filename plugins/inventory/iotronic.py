# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
---
name: iotronic
short_description: Nodes of Ironic, or boards of Iotronic, as an inventory
version_added: "0.1.0"
author: The Craton authors (@craton-fleet)
description:
  - Reads the nodes of Ironic, or the nodes or boards of Iotronic, with all their fields, in groups for drivers, states, types,
    fleets and projects.
  - Runs the program C(craton), which the collection contains, and needs no Python libraries.
  - Is configured by a YAML file that names this plugin. The name of the file ends in C(iotronic.yml) or C(iotronic.yaml).
  - An option comes from the YAML file, or else from the environment, from C(ansible.cfg), or from the program's configuration
    file, which is C(~/.config/craton/config.yml) or the file that C(CRATON_CONFIG) names.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [craton.fleet.iotronic]
  binary:
    description:
      - The C(craton) program to run.
      - The default is the build for this machine in the collection's C(bin), or else the one in C(PATH).
    type: path
    env:
      - name: CRATON_BINARY
    ini:
      - section: inventory_plugin_iotronic
        key: binary
extends_documentation_fragment:
  - craton.fleet.iotronic_inventory
  - constructed
  - inventory_cache
notes:
  - The options are named like the settings of the program. Only I(iotronic_groups) is called C(groups) elsewhere, because Ansible
    uses that name itself.
  - Strings from the API that look like templates are marked as unsafe, so that Ansible does not execute them, unless
    I(trust_templates) is set. Releases of ansible-core before 2.19 lose the mark of a value from C(hostvars); docs/inventory.md
    describes which values they then execute.
  - Ansible's own cache (I(cache)) contains all variables of all hosts, and some releases of ansible-core make it readable for all
    users. Set I(cache_connection) to a directory that only you can read.
  - By default, Ansible continues without hosts if an inventory fails. To stop instead, set C(any_unparsed_is_failed = true) in
    the section C(inventory) of C(ansible.cfg).
'''

EXAMPLES = r'''
# active.iotronic.yml: only nodes in use, with selected kinds of groups. If the environment has the settings of an openrc file,
# the first line is enough.
plugin: craton.fleet.iotronic
url: http://ironic.example:6385
filters: [provision_state=active, maintenance=false]
iotronic_groups: [driver, resource_class, trait]
address_from: [extra.ansible_host, extra.ip]
extra_variables: ["*"]
exclude_fields: ["driver_*"]
compose:
  rack: iotronic.extra.rack | default('none')
keyed_groups:
  - key: iotronic.properties.cpu_arch
    prefix: arch
'''

from ansible_collections.craton.fleet.plugins.inventory.craton import InventoryModule as CratonInventory


class InventoryModule(CratonInventory):
    NAME = 'craton.fleet.iotronic'
    SHORT_NAME = 'iotronic'
    PROGRAM = 'iotronic-inventory'
    TRUST = 'CRATON_IOTRONIC_INVENTORY_TRUST_TEMPLATES'

    LIMITS = False

    def defers(self, limited):
        return False

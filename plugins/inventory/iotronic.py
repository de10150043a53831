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
  - Gives the nodes of Ironic, or the nodes or boards of Iotronic, to Ansible, with all that the service knows of them, in
    groups of drivers, states, types, fleets and projects.
  - It runs the program C(craton), which comes with the collection, and needs no Python libraries.
  - Reads a YAML file whose name ends in C(iotronic.yml) or C(iotronic.yaml) and that names this plugin.
  - A setting that neither the YAML file, nor the environment, nor C(ansible.cfg) has is taken from the program's own
    configuration file (C(~/.config/craton/config.yml), or the one that C(CRATON_CONFIG) names), else it has its default.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [craton.fleet.iotronic]
  binary:
    description:
      - The C(craton) program to run.
      - By default it is the one in the collection's C(bin) that was built for this machine, else the one on the C(PATH).
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
  - The connection and the inventory have the same settings in every part of the program. Only I(iotronic_groups) has a name
    of its own here, because I(groups) is Ansible's.
  - Strings of the API that look like templates are never executed, in no release of ansible-core, unless
    I(trust_templates) is set.
  - The cache holds all variables of all hosts, and some releases of ansible-core write it readable for every user of
    the machine. Give I(cache_connection) a directory that only you can read.
  - Ansible goes on without hosts when an inventory fails. Set C(any_unparsed_is_failed = true) in the section
    C(inventory) of C(ansible.cfg).
'''

EXAMPLES = r'''
# active.iotronic.yml: what is in use, with groups of its own. With an openrc in the environment the first line is enough.
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

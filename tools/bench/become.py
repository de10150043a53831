# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""A way to become another user that needs no rights: it runs the command as it is."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
name: plain
short_description: Nobody else
description: [Runs the command as it is.]
author: The craton.fleet authors
options:
  become_user: {description: User, default: root}
  become_exe: {description: Program}
  become_flags: {description: Flags}
  become_pass: {description: Password}
'''

from ansible.plugins.become import BecomeBase


class BecomeModule(BecomeBase):
    name = 'craton.bench.plain'

    def build_become_command(self, cmd, shell):
        super(BecomeModule, self).build_become_command(cmd, shell)
        return self._build_success_command(cmd, shell)

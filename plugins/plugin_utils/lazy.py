# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""Hosts whose variables are read when somebody first looks.

Ansible keeps the variables of a host in its attribute vars. A deferred host is of a class of its own, in which vars is a
property: whoever reads or sets it, and however, meets it first. It then reads the variables, and makes the host what it would
have been: an ordinary Host with an ordinary dictionary. So no play ever works with anything else.

When one host after the other has been looked at, the play is over many, and the rest is read at once: that costs less than to read
each when it is its turn, between one worker process and the next, which share the memory of the controller until it is written to.

There is one exception. When all inventories are read, Ansible combines the variables of every host with what vars plugins give
then, mostly nothing. Up to that moment vars of a deferred host is Untouched, which can be combined with nothing without being read.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import copy
import json
import os
import tempfile
from array import array
from collections.abc import MutableMapping
from json.decoder import scanstring

from ansible import constants as C
from ansible.errors import AnsibleError
from ansible.inventory.host import Host
from ansible.module_utils.common.text.converters import to_native
from ansible.utils.vars import combine_vars

# The attributes of a host, in every release that this was tested with.
ATTRIBUTES = frozenset(('name', 'vars', 'groups', 'address', 'implicit', '_uuid'))

# How a document begins that has hosts: each is a line of its own from here on.
HOSTS = b'{"_meta":{"hostvars":{\n'

# When the rest of the hosts is read at once: when so many were looked at one by one, and one of so many of all.
FEW = 8
SHARE = 16


class Setter:
    """Sets variables as Host.set_variable does, which looks at each name again for each host: once is enough."""

    def __init__(self):
        self.known = set()

    def set(self, host, variables):
        own = host.vars
        if variables.keys() <= self.known and own.keys().isdisjoint(variables):
            own.update(variables)
            return
        for name, value in variables.items():
            if name in self.known and name not in own:
                own[name] = value
                continue
            self.known.add(name)
            host.set_variable(name, value)
            own = host.vars


class DeferredHost(Host):
    """A host before anybody has looked at its variables."""

    @property
    def vars(self):
        return reveal(self) if '_combined' in self.__dict__ else Untouched(self)

    @vars.setter
    def vars(self, value):
        if isinstance(value, Untouched) and value.is_of(self):
            self.__dict__['_combined'] = True
        else:
            ordinary(self, value)

    def __reduce_ex__(self, protocol):
        reveal(self)
        return self.__reduce_ex__(protocol)  # which is another one now


class Untouched(MutableMapping):
    """The variables of a deferred host as long as inventories are read. It is no dict: what knows only dictionaries fails, and does
    not take it for an empty one."""

    def __init__(self, host, copied=False):
        self.host = host
        self.copied = copied
        self.opened = None

    def is_of(self, host):
        """Whether these are the variables of a host, unread and unchanged."""
        return self.host is host and self.opened is None

    def __or__(self, other):
        return self.open() | other if other else Untouched(self.host, copied=True)

    def __ror__(self, other):
        return other | self.open()

    def open(self):
        """The dictionary itself."""
        if self.opened is None:
            self.opened = reveal(self.host)
            if self.copied:
                self.opened = self.opened.copy()
        return self.opened

    def __getitem__(self, name):
        return self.open()[name]

    def __setitem__(self, name, value):
        self.open()[name] = value

    def __delitem__(self, name):
        del self.open()[name]

    def __iter__(self):
        return iter(self.open())

    def __len__(self):
        return len(self.open())

    def __repr__(self):
        return repr(self.open())

    def copy(self):
        return self.open().copy()


class Parsed:
    """The variables of hosts in memory."""

    def __init__(self, hostvars):
        self.names = self.hostvars = hostvars

    def read(self, name, _position):
        """The variables of the host at a position."""
        return self.hostvars[name]


class Source:
    """Where the variables of deferred hosts come from: a Snapshot or what is Parsed, and what makes of it what Ansible wants."""

    def __init__(self, variables, decode):
        self.variables = variables
        self.decode = decode
        self.setter = Setter()
        self.hosts = []
        self.asked = 0

    def defer(self, host, before):
        """Let a host's variables be those of before, with what is read set over them. before is not changed. Hosts come in the order of
        their positions."""
        host.__class__ = DeferredHost
        host.__dict__['_deferred'] = (self, len(self.hosts), before)
        self.hosts.append(host)
        del host.__dict__['vars']

    def reveal(self, host, position, before):
        """Read the variables of a host that is looked at, or of all that are left."""
        self.make(host, before, self.variables.read(host.name, position))
        self.asked += 1
        if self.asked < FEW or self.asked * SHARE < len(self.hosts):
            return
        self.asked = -len(self.hosts)  # once
        hosts, self.hosts = self.hosts, []
        for host in hosts:
            deferred = host.__dict__.get('_deferred')
            if deferred:
                source, position, before = deferred
                source.make(host, before, source.variables.read(host.name, position))

    def make(self, host, before, variables):
        """Make a deferred host the one that it would have been."""
        made = Host(host.name, gen_uuid=False)
        made.vars = before.copy()
        self.setter.set(made, self.decode(variables))
        # Of two threads that read, the first one's dictionary counts for both.
        ordinary(host, host.__dict__.setdefault('vars', made.vars))


def reveal(host):
    """Read a host's variables, make the host an ordinary one, and return them."""
    deferred = host.__dict__.get('_deferred')
    if deferred:
        source, position, before = deferred
        source.reveal(host, position, before)
    return host.vars


def ordinary(host, variables):
    """Make a host an ordinary one."""
    host.__dict__['vars'] = variables
    host.__class__ = Host
    host.__dict__.pop('_deferred', None)
    host.__dict__.pop('_combined', None)


def refusal():
    """Why hosts of this ansible-core are not deferred, or None: they must be made as those were that this was tested with."""
    read = []

    class Variables(Parsed):
        def read(self, name, position):
            read.append(position)
            return super().read(name, position)

    def host():
        made = Host('a.b')
        made.set_variable('before', {'b': 1})
        return made

    variables = {'own': 'a.b', 'before': {'a': 3}}

    def eager(way):
        made = host()
        Setter().set(made, variables)
        return way(made)

    def deferred(way):
        made = host()
        Source(Variables({'a.b': variables}), dict).defer(made, made.vars)
        return way(made)

    def combined(made):
        made.vars = combine_vars(made.vars, {})
        return made

    def with_more(made):
        made.vars = combine_vars(made.vars, {'own': 4})
        return made
    ways = {
        'nothing': lambda made: made,
        'combining': combined,
        'combining more': with_more,
        'set_variable': lambda made: made.set_variable('before', {'c': 2}) or made,
        'set_variable later': lambda made: combined(made).set_variable('before', {'c': 2}) or made,
        'copy': copy.copy,
        'deepcopy': copy.deepcopy,
    }
    try:
        for way, take in ways.items():
            want, got = eager(take), deferred(take)
            if set(want.__dict__) != ATTRIBUTES:
                return 'a host has other attributes'
            if got.get_vars() != want.get_vars() or got.__class__ is not Host or set(got.__dict__) != ATTRIBUTES:
                return 'a host is another one after %s' % way
        del read[:]
        if C.DEFAULT_HASH_BEHAVIOUR == 'replace' and (deferred(combined).get_name() != 'a.b' or read):
            return 'variables are looked at when inventories are read'
    except Exception as err:  # whatever it is, the variables are loaded at once then
        return '%s: %s' % (type(err).__name__, to_native(err))
    return None


class Snapshot:
    """What the program printed, in a file without a name: nobody else can open it, and nothing is left when Ansible ends."""

    def __init__(self):
        self.file = tempfile.TemporaryFile(prefix='craton-')
        self.names = []
        self.begins = array('Q')

    def index(self):
        """Find the hosts, and return the rest of the document, or None if it is written in another way."""
        self.file.seek(0)
        if self.file.readline() != HOSTS:
            return None
        begin = len(HOSTS)
        line = b''
        try:
            for line in self.file:
                if not line.startswith(b'"'):
                    break
                self.begins.append(begin)
                self.names.append(scanstring(line.decode('utf-8'), 1)[0])
                begin += len(line)
            self.begins.append(begin)
            return json.loads(b'{' + self.file.read()) if line == b'}},\n' else None
        except ValueError:
            return None

    def text(self):
        """All of what was printed."""
        self.file.seek(0)
        return self.file.read()

    def read(self, name, position):
        """The variables of the host at a position. The name is there to be sure."""
        begin, end = self.begins[position], self.begins[position + 1]
        try:
            line = os.pread(self.file.fileno(), end - begin, begin)
            return json.loads(b'{' + line.rstrip(b',\n') + b'}')[name]
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise AnsibleError('the variables of host %s cannot be read any more: %s: %s' % (name, type(err).__name__, to_native(err)))

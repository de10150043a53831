# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""Hosts whose variables are loaded when they are first needed.

Ansible stores the variables of a host in its attribute vars. A deferred host has a class of its own, in which vars is a property.
The first access to it, of any kind, loads the variables and turns the host into what it would have been without this module: an
ordinary Host with an ordinary dictionary. A play therefore never works with anything else.

Once several hosts have been loaded one by one, the play probably runs on many, and the rest is loaded at once. That costs less than
loading each host between one worker process and the next: workers share the memory of the controller until it is written to.

There is one exception. After all inventories have been read, Ansible combines the variables of every host with those from vars
plugins, mostly none. Until then, vars of a deferred host is Untouched, which can be combined with an empty dictionary without being
loaded.
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

# The attributes of a host in every tested release.
ATTRIBUTES = frozenset(('name', 'vars', 'groups', 'address', 'implicit', '_uuid'))

# The beginning of a document with hosts. From here on, each host has its own line.
HOSTS = b'{"_meta":{"hostvars":{\n'

# The remaining hosts are loaded at once after FEW hosts were loaded one by one, if these are at least one in SHARE of all.
FEW = 8
SHARE = 16


class Setter:
    """Sets variables like Host.set_variable, but checks each name only once instead of once per host."""

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
    """A host whose variables have not been accessed yet."""

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
        return self.__reduce_ex__(protocol)  # the ordinary method by now


class Untouched(MutableMapping):
    """The variables of a deferred host while inventories are being read. It is not a dict, so code that accepts only dicts fails
    instead of treating it as an empty one."""

    def __init__(self, host, copied=False):
        self.host = host
        self.copied = copied
        self.opened = None

    def is_of(self, host):
        """Whether these are the variables of this host, neither loaded nor changed."""
        return self.host is host and self.opened is None

    def __or__(self, other):
        return self.open() | other if other else Untouched(self.host, copied=True)

    def __ror__(self, other):
        return other | self.open()

    def open(self):
        """Return the dictionary itself."""
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
    """The variables of hosts, in memory."""

    def __init__(self, hostvars):
        self.names = self.hostvars = hostvars

    def read(self, name, _position):
        """Return the variables of the host at a position."""
        return self.hostvars[name]


class Source:
    """The source of the variables of deferred hosts: a Snapshot or Parsed, and the function that decodes values for Ansible."""

    def __init__(self, variables, decode):
        self.variables = variables
        self.decode = decode
        self.setter = Setter()
        self.hosts = []
        self.asked = 0

    def defer(self, host, before):
        """Defer the variables of a host. When they are loaded, they are set on top of a copy of before. Hosts must be deferred in the
        order of their positions."""
        host.__class__ = DeferredHost
        host.__dict__['_deferred'] = (self, len(self.hosts), before)
        self.hosts.append(host)
        del host.__dict__['vars']

    def reveal(self, host, position, before):
        """Load the variables of a host that was accessed, or of all remaining hosts."""
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
        """Turn a deferred host into an ordinary one with its variables."""
        made = Host(host.name, gen_uuid=False)
        made.vars = before.copy()
        self.setter.set(made, self.decode(variables))
        # If two threads load it, both use the dictionary of the first.
        ordinary(host, host.__dict__.setdefault('vars', made.vars))


def reveal(host):
    """Load the variables of a host, make it an ordinary host, and return them."""
    deferred = host.__dict__.get('_deferred')
    if deferred:
        source, position, before = deferred
        source.reveal(host, position, before)
    return host.vars


def ordinary(host, variables):
    """Make a host an ordinary host with these variables."""
    host.__dict__['vars'] = variables
    host.__class__ = Host
    host.__dict__.pop('_deferred', None)
    host.__dict__.pop('_combined', None)


def refusal():
    """Return why hosts cannot be deferred with this ansible-core, or None: its hosts must behave like those of the tested releases."""
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
                return 'Host has different attributes'
            if got.get_vars() != want.get_vars() or got.__class__ is not Host or set(got.__dict__) != ATTRIBUTES:
                return 'a host differs after %s' % way
        del read[:]
        if C.DEFAULT_HASH_BEHAVIOUR == 'replace' and (deferred(combined).get_name() != 'a.b' or read):
            return 'variables are accessed while inventories are read'
    except Exception as err:  # whatever it is: then all variables are loaded at once
        return '%s: %s' % (type(err).__name__, to_native(err))
    return None


class Snapshot:
    """The output of the program, in an unnamed file: no other user can open it, and it disappears when Ansible exits."""

    def __init__(self):
        self.file = tempfile.TemporaryFile(prefix='craton-')
        self.names = []
        self.begins = array('Q')

    def index(self):
        """Find the hosts and return the rest of the document, or None if the document has another layout."""
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
        """Return the complete output."""
        self.file.seek(0)
        return self.file.read()

    def read(self, name, position):
        """Return the variables of the host at a position; the name is checked."""
        begin, end = self.begins[position], self.begins[position + 1]
        try:
            line = os.pread(self.file.fileno(), end - begin, begin)
            return json.loads(b'{' + line.rstrip(b',\n') + b'}')[name]
        except (OSError, ValueError, KeyError, TypeError) as err:
            raise AnsibleError('cannot read the variables of host %s from the temporary file: %s: %s' % (name, type(err).__name__, to_native(err)))

# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
---
name: craton
short_description: A Craton fleet as an inventory
version_added: "0.1.0"
author: The Craton authors (@craton-fleet)
description:
  - Reads the hosts of a Craton fleet, with their variables, in groups for clouds, regions, cells, labels and device types.
  - Runs the program C(craton), which the collection contains, and needs no Python libraries.
  - Is configured by a YAML file that names this plugin. The name of the file ends in C(craton.yml) or C(craton.yaml).
  - An option comes from the YAML file, or else from the environment, from C(ansible.cfg), or from the program's configuration
    file, which is C(~/.config/craton/config.yml) or the file that C(CRATON_CONFIG) names.
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [craton.fleet.craton]
  binary:
    description:
      - The C(craton) program to run.
      - The default is the build for this machine in the collection's C(bin), or else the one in C(PATH).
    type: path
    env:
      - name: CRATON_BINARY
    ini:
      - section: inventory_plugin_craton
        key: binary
extends_documentation_fragment:
  - craton.fleet.inventory
  - constructed
  - inventory_cache
notes:
  - With I(vars=lazy), the default, the variables of a host are loaded when they are first needed. I(compose), I(groups),
    I(keyed_groups) and C(ansible-inventory --list) need those of all hosts.
  - With I(limit=only), a run with C(--limit) loads only the selected hosts and their groups. Other hosts are not in C(hostvars)
    and C(groups), and C(delegate_to) connects to them without their variables.
  - Despite I(limit=only), all hosts are loaded if names are not enough to select hosts, if there are other inventory files, and
    with I(groups), I(keyed_groups) or I(cache). C(-v) says why.
  - The options are named like the settings of the program. Only I(craton_groups), I(craton_cache) and I(craton_cache_dir) are
    called C(groups), C(cache) and C(cache_dir) elsewhere, because Ansible uses these names itself.
  - The program caches the last inventory, and uses it while the server reports no changes (I(craton_cache)). Do not use Ansible's
    own I(cache) in addition, which is used even after the fleet has changed.
  - Strings from the API that look like templates are marked as unsafe, so that Ansible does not execute them, unless
    I(trust_templates) is set. Releases of ansible-core before 2.19 lose the mark of a value from C(hostvars); docs/inventory.md
    describes which values they then execute.
  - Ansible's own cache (I(cache)) contains all variables of all hosts, and some releases of ansible-core make it readable for all
    users. Set I(cache_connection) to a directory that only you can read.
  - By default, Ansible continues without hosts if an inventory fails. To stop instead, set C(any_unparsed_is_failed = true) in
    the section C(inventory) of C(ansible.cfg).
'''

EXAMPLES = r'''
# prod.craton.yml: one cloud, with additional groups. If CRATON_URL is set in the environment, the first line is enough.
plugin: craton.fleet.craton
url: https://craton.example:7780
username: ansible
project_id: b9f10eca-66ac-4c27-9c13-9d01e65f96b4
# The password is in OS_PASSWORD, or here as a vault.
clouds: [prod]
exclude_variables: [ansible_connection, ansible_*_interpreter, ansible_ssh_*]
compose:
  rack: craton.name.split('-')[0]
groups:
  databases: "'db' in craton.labels"
keyed_groups:
  - key: craton.device_type
    prefix: kind
'''

import datetime
import difflib
import hashlib
import json
import os
import subprocess
from sys import intern

from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.helpers import get_group_vars
from ansible.inventory.manager import IGNORED
from ansible.module_utils.common.text.converters import to_bytes, to_native, to_text
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.path import unfrackpath
from ansible.utils.vars import combine_vars

from ansible_collections.craton.fleet.plugins.plugin_utils import lazy
from ansible_collections.craton.fleet.plugins.plugin_utils.program import ProgramMissing, find

try:  # ansible-core 2.19 and later: strings from a plugin are plain text unless they are marked as trusted
    from ansible.template import trust_as_template
    from ansible.parsing.vault import EncryptedString
    AnsibleVaultEncryptedUnicode = VaultLib = wrap_var = None
except ImportError:  # before 2.19: strings are templates unless they are marked as unsafe
    trust_as_template = None
    from ansible.parsing.vault import VaultLib
    from ansible.parsing.yaml.objects import AnsibleVaultEncryptedUnicode
    from ansible.utils.unsafe_proxy import wrap_var

# Prefixes of the environment variables that the program reads.
OURS = ('CRATON_', 'OS_', 'IOTRONIC_', 'IRONIC_')

# Options that still apply if a cloud is given: the region, and the TLS settings.
BESIDE = ('os_region_name', 'os_cacert', 'os_cert', 'os_key', 'os_insecure')

# Files with settings: the program's own and clouds.yaml and its companions, below ~/.config and /etc, or where these
# variables point.
FILES = tuple(name + ending for name in ('clouds', 'secure', 'clouds-public') for ending in ('.yaml', '.yml', '.json'))
NAMED = ('CRATON_CONFIG', 'OS_CLIENT_CONFIG_FILE', 'OS_CLIENT_SECURE_FILE')

# Arguments of the program. Before 2.19, Ansible executes templates in keys, so dictionaries with such keys are passed as text.
LIST = ['--list', '--keep-mappings'] if trust_as_template else ['--list']

# A string that contains one of these is a template in any release.
TEMPLATE = ('{{', '{%', '{#')
DELIMITERS = '#jinja2:'

# Maximum number of strings that hosts share in memory.
PLAINS = 10000

# Maximum number of different values of one variable that hosts share in memory: a variable with more is specific to each host.
ALIKE = 64

# Maximum length in bytes of a --limit that is passed to the program: an argument cannot be much longer.
SUBSET = 100000


def files(source):
    """Yield the files that Ansible reads from an inventory source, including those in directories."""
    source = to_bytes(source)
    if not os.path.isdir(source):
        yield source
        return
    for name in sorted(os.listdir(source)):
        if not IGNORED.search(name):
            yield from files(os.path.join(source, name))


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    NAME = 'craton.fleet.craton'
    SHORT_NAME = 'craton'
    PROGRAM = 'craton-inventory'  # argv[0], which selects the inventory
    TRUST = 'CRATON_INVENTORY_TRUST_TEMPLATES'
    DEFERS = (None, 'lazy')  # values of the option vars with which variables are loaded when they are first needed
    LIMITS = True  # whether the program supports --limit

    def verify_file(self, path):
        ours = tuple(self.SHORT_NAME + ending for ending in ('.yml', '.yaml'))
        return super(InventoryModule, self).verify_file(path) and path.endswith(ours)

    def error(self, text):
        return AnsibleParserError('%s: %s' % (self.SHORT_NAME, text))

    def parse(self, inventory, loader, path, cache=True):
        super(InventoryModule, self).parse(inventory, loader, path, cache)
        # The program treats an empty variable as unset; Ansible would use it as a value.
        empty = [variable for variable, value in os.environ.items() if value == '' and variable.startswith(OURS)]
        for variable in empty:
            del os.environ[variable]
        try:
            config = self._read_config_data(path)
            self.check_keys(path, config)
            settings = self.settings(config)
        finally:
            os.environ.update((variable, '') for variable in empty)
        self.trusted = settings[self.TRUST] == 'true'
        self.plains = {}
        self.alike = {}
        use_cache = self.get_option('cache')
        key = self.cache_key(path, settings) if use_cache else None
        document = None
        if use_cache and cache:
            try:
                document = self._cache[key]
            except KeyError:
                pass  # missing or expired
        limit, pattern = self.get_option('limit') if self.LIMITS else 'off', context.CLIARGS.get('subset')
        deferred = self.defers(limit == 'auto' and pattern)
        self.subset = []
        if pattern and limit in (None, 'only'):
            try:
                self.subset = self.limited(pattern, path, use_cache)
            except ValueError as err:
                if limit:
                    self.say_all(err)
        try:
            if document is None and deferred and not use_cache:
                self.populate(*self.snapshot(settings), deferred)
                return
            if document is None:
                document = self.parsed(self.run(settings))
                if use_cache:
                    self._cache[key] = document
            hostvars = document['_meta']['hostvars']
            self.populate(document, lazy.Parsed(hostvars), deferred)
        except AnsibleParserError:
            raise
        except AnsibleError as err:  # from compose, groups and keyed_groups with strict
            raise self.error(to_native(err))

    def check_keys(self, path, config):
        """Refuse unknown keys, which Ansible ignores: a misspelt filter would then select every host."""
        known = ['plugin']
        for name, definition in C.config.get_configuration_definitions('inventory', self._load_name).items():
            known += [name] + list(definition.get('aliases') or [])
        for key in config:
            if key not in known:
                near = difflib.get_close_matches(to_text(key), known, 1)
                raise self.error('%s: unknown option %s%s' % (
                    to_native(path), to_native(key), '. Did you mean %s?' % near[0] if near
                    else '. "ansible-doc -t inventory %s" lists the options' % self.NAME))
        if isinstance(config.get('api_version'), float):
            raise self.error('%s: api_version must be in quotes, such as "1.10": without them, YAML reads the number 1.1' % to_native(path))

    def settings(self, config):
        """Return the environment of the program: for each option with a value, the last of its variables."""
        env = {}
        self.unset = set()
        for name, definition in C.config.get_configuration_definitions('inventory', self._load_name).items():
            variables = [e['name'] for e in definition.get('env') or []] or ['']
            variable = variables[-1]
            if not variable.startswith(OURS) or name == 'binary':
                continue
            if self.foreign(name, variable, config):
                self.unset.update(variables)
                continue
            if name == 'url' and config.get(name) is None and any(os.environ.get(v) for v in variables):
                continue  # the program reads these variables itself, and knows which of them other programs use
            value = self.get_option(name)
            if value is None:
                continue
            if isinstance(value, bool):
                value = 'true' if value else 'off' if definition.get('type') == 'raw' else 'false'  # YAML reads an unquoted off as false
            elif isinstance(value, datetime.date):
                value = self.moment(name, value)
            elif isinstance(value, list):
                # An empty list is a choice, but an empty variable would count as unset.
                if not value and 'none' in (definition.get('choices') or []):
                    value = ['none']
                value = [to_text(word) for word in value]
                for word in value:
                    if ',' in word:
                        raise self.error(
                            '%s: a value contains a comma, which cannot be passed to the program. Use the id instead, or set the '
                            "option in the program's configuration file" % name)
                value = ','.join(value)
            env[variable] = to_text(value)
        # A region in the YAML file belongs to the cloud in that file, so it is passed as a flag; a variable may be meant for another cloud.
        region = config.get('os_region_name')
        self.flags = ['--os-region-name', env['OS_REGION_NAME']] if region is not None and env.get('OS_REGION_NAME') else []
        # Trust is decided only here, and the default is no.
        env.setdefault(self.TRUST, 'false')
        return env

    def moment(self, name, value):
        """Return a time that YAML has parsed. If it has no time zone, it may have had one that some releases of PyYAML drop."""
        if isinstance(value, datetime.datetime) and value.tzinfo is None:
            raise self.error('%s: a time must be in quotes, because YAML may drop its time zone. Write %s: "%s"' % (name, name, value))
        return value.isoformat()

    def foreign(self, name, variable, config):
        """Whether a credential from elsewhere is meant for something else. A cloud in the YAML file determines all credentials."""
        if config.get(name) is not None or name in BESIDE:
            return False
        if config.get('os_cloud'):
            return variable.startswith('OS_') or name == 'cloud'
        return bool(config.get('auth_url') and config.get('username')) and name in ('token', 'auth_type')

    def cache_key(self, path, settings):
        """Return the key of the cache: it differs for each fleet and filter, however they are set, and does not include the password."""
        told = dict((k, v) for k, v in os.environ.items() if v and k.startswith(OURS))
        told.update(settings)
        told.update(self.files())
        told['arguments'] = ' '.join(LIST)
        named = json.dumps(sorted((k, v) for k, v in told.items() if k != 'OS_PASSWORD'))
        return '%s_%s' % (self.get_cache_key(path).replace('/', '_'), hashlib.sha256(named.encode('utf-8')).hexdigest()[:12])

    def files(self):
        """Return size and modification time of each file from which the program may read settings."""
        home = os.environ.get('XDG_CONFIG_HOME') or os.path.expanduser('~/.config')
        named = os.environ.get('OS_CLIENT_CONFIG_FILE') or ''
        folders = ['', os.path.dirname(named)] + [os.path.join(folder, 'openstack') for folder in (home, '/etc/xdg', '/etc')]
        names = [os.path.join(folder, name) for folder in folders for name in FILES]
        names += [os.path.join(folder, 'craton', 'config.yml') for folder in (home, '/etc')]
        names += [os.environ.get(variable) or '' for variable in NAMED]
        stamps = {}
        for name in names:
            try:
                stat = os.stat(name)
            except OSError:
                continue
            stamps['file ' + name] = '%d %d' % (stat.st_mtime_ns, stat.st_size)
        return stamps

    def limited(self, pattern, path, cached):
        """Return the arguments that pass --limit to the program, which decides whether it can use it; checks that need Ansible are made here."""
        if cached:
            raise ValueError('the cache contains all hosts')
        if context.CLIARGS.get('host') or context.CLIARGS.get('flush_cache'):
            raise ValueError('this command is not limited')
        if C.HOST_PATTERN_MISMATCH == 'error':
            raise ValueError('host_pattern_mismatch = error needs the names of all groups')
        pattern = to_bytes(pattern, errors='strict', nonstring='strict') if not isinstance(pattern, bytes) else pattern
        if b'\0' in pattern or len(pattern) > SUBSET:
            raise ValueError('the pattern is too long')
        arguments = [b'--subset=' + pattern]
        sources = [unfrackpath(source, follow=False) for source in context.CLIARGS.get('inventory') or () if ',' not in source]
        alone = len(sources) == len(context.CLIARGS.get('inventory') or ()) and [to_bytes(path)] == [name for source in sources for name in files(source)]
        if not alone or self.get_option('groups') or self.get_option('keyed_groups'):
            arguments.append(b'--subset-beside')
        return arguments

    def say_all(self, why):
        self.display.v('%s: --limit: all hosts are read, because %s' % (self.SHORT_NAME, to_native(why)))

    def defers(self, limited):
        """Whether the variables of a host are loaded when they are first needed."""
        if self.get_option('vars') not in self.DEFERS and not limited:
            return False
        why = lazy.refusal()
        if why:
            self.display.v('%s: lazy variables do not work with this ansible-core (%s), so all variables are loaded at once' % (self.SHORT_NAME, why))
        return not why

    def run(self, settings, out=subprocess.PIPE):
        """Run the program. It prints a complete document, which is returned unless out is a file, or an error on stderr."""
        try:
            self.binary = self.get_option('binary') or find()
        except ProgramMissing as err:
            raise self.error(err)
        env = dict((k, v) for k, v in os.environ.items() if k not in self.unset)
        env.update(settings)
        try:
            process = subprocess.Popen([self.PROGRAM] + LIST + self.flags + self.subset, executable=self.binary, env=env, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=subprocess.PIPE)
        except (OSError, ValueError) as err:
            raise self.error('cannot run %s: %s' % (to_native(self.binary), to_native(getattr(err, 'strerror', None) or err)))
        try:
            stdout, stderr = process.communicate()
        except BaseException:  # including Ctrl-C
            process.kill()
            process.wait()
            raise
        lines = [line for line in to_text(stderr, errors='replace').splitlines() if line.strip()]
        if process.returncode != 0:
            raise self.error(self.said(lines[-1]) if lines else '%s failed with status %d and without a message' % (self.PROGRAM, process.returncode))
        for line in lines:  # such as why all hosts are read, or that the cached inventory is used
            tell = self.display.v if self.subset else self.display.warning
            tell('%s: %s' % (self.SHORT_NAME, to_native(self.said(line))))
        return stdout

    def said(self, line):
        """Return a line of the program's output without its prefixes."""
        line = line.strip()
        for prefix in (self.PROGRAM + ': ', 'ERROR: ', 'WARNING: ', self.SHORT_NAME + ': '):
            if line.startswith(prefix):
                line = line[len(prefix):]
        return line

    def parsed(self, text):
        """Parse the document that the program printed."""
        try:
            document = json.loads(to_text(text, errors='strict'))
            if not isinstance(document['_meta']['hostvars'], dict):
                raise ValueError('hostvars')
        except (ValueError, KeyError, TypeError):
            raise self.error('%s did not print an inventory. Is it the craton program?' % to_native(self.binary))
        return document

    def snapshot(self, settings):
        """Run the program and return the groups of the document, and its hosts, whose variables stay in a file."""
        try:
            snapshot = lazy.Snapshot()
        except OSError as err:
            raise self.error('cannot create a temporary file for the variables: %s. Set TMPDIR to a writable directory, or set vars to merged' % to_native(err))
        self.run(settings, snapshot.file)
        document = snapshot.index()
        if document is None:  # another version of the program wrote it
            document = self.parsed(snapshot.text())
            hostvars = document['_meta']['hostvars']
            return document, lazy.Parsed(hostvars)
        return document, snapshot

    def populate(self, document, hosts, deferred):
        """Add the groups and hosts of a document. Variables are set at once, or when they are first needed."""
        # The wrapper of 2.19 and later would check each value again; all values are already in the right form.
        data = getattr(self.inventory, '__wrapped__', self.inventory)
        groups = dict((name, group) for name, group in document.items() if name != '_meta')
        for name, group in groups.items():
            data.add_group(name)
            for child in group.get('children') or []:
                data.add_group(child)
        for name, group in groups.items():
            for host in group.get('hosts') or []:
                data.add_host(host, group=name)
            for variable, value in (group.get('vars') or {}).items():
                data.set_variable(name, variable, self.decode(value))
        for name, group in groups.items():
            for child in group.get('children') or []:
                data.add_child(name, child)
        source = lazy.Source(hosts, self.variables)
        first = None
        for position, name in enumerate(hosts.names):
            data.add_host(name)
            host = data.hosts[name]
            before = lazy.reveal(host)
            if not deferred:
                source.setter.set(host, self.variables(hosts.read(name, position)))
                continue
            if before != first:  # the same for all new hosts
                first = before
            source.defer(host, first)
        if self.get_option('compose') or self.get_option('groups') or self.get_option('keyed_groups'):
            self.inventory.reconcile_inventory()  # adds the groups all and ungrouped
            for name in hosts.names:
                self.construct(name)

    def construct(self, host):
        """Apply compose, groups and keyed_groups, with the variables of groups too: with vars=layered, variables are there."""
        strict = self.get_option('strict')

        def variables():
            found = self.inventory.get_host(host)
            return combine_vars(get_group_vars(found.get_groups()), found.get_vars())
        self._set_composite_vars(self.get_option('compose'), variables(), host, strict=strict)
        if trust_as_template:
            own = self.inventory.get_host(host).vars
            for variable in self.get_option('compose') or {}:
                if variable in own:
                    self.inventory.set_variable(host, variable, self.plain(own[variable]))
        composed = variables()
        self._add_host_to_composed_groups(self.get_option('groups'), composed, host, strict=strict, fetch_hostvars=False)
        self._add_host_to_keyed_groups(self.get_option('keyed_groups'), composed, host, strict=strict, fetch_hostvars=False)

    def variables(self, found):
        """Return the variables of a host in Ansible's form. Hosts with equal values share one object in memory."""
        made = {}
        for name, value in found.items():
            if isinstance(value, (dict, list)):
                alike = self.alike.setdefault(name, {})
                if alike is None:
                    value = self.decode(value)
                else:
                    text = repr(value)
                    known = alike.get(text)
                    if known is None:
                        known = alike[text] = self.decode(value)
                        if len(alike) > ALIKE:
                            self.alike[name] = None
                    value = known
            elif isinstance(value, str):
                value = self.text(value, self.trusted)
            made[intern(name)] = value
        return made

    def decode(self, value):
        """Return a value of the document in Ansible's form, without marks, and trusted if the user has set that."""
        if isinstance(value, str):
            return self.text(value, self.trusted)
        if isinstance(value, dict):
            if len(value) == 1:
                text = value.get('__ansible_unsafe')
                if isinstance(text, str):
                    return self.text(text, False) if trust_as_template else wrap_var(text)
                text = value.get('__ansible_vault')
                if self.trusted and isinstance(text, str):
                    return self.vault(text)
            return dict((intern(key), self.decode(inner)) for key, inner in value.items())
        if isinstance(value, list):
            return [self.decode(inner) for inner in value]
        return value

    def plain(self, value):
        """Return a composed value, with strings that contain no template marked as trusted, as for all variables."""
        if isinstance(value, str):
            return self.text(value, False)
        if isinstance(value, dict):
            return dict((key, self.plain(inner)) for key, inner in value.items())
        if isinstance(value, list):
            return [self.plain(inner) for inner in value]
        return value

    def text(self, text, trusted):
        """Return a string that Ansible executes as a template only if it is trusted.

        From 2.19 on, Ansible executes trusted strings, and ansible-inventory writes untrusted ones with a mark. Strings without
        a template are trusted, so that they are written without a mark; if a play joins them, the result is not trusted.
        Earlier releases execute every string that is not marked as unsafe, including strings that a play joins, so the program
        marks every string that could be a part of a template.
        """
        if trust_as_template:
            if not trusted and ('{' in text and any(mark in text for mark in TEMPLATE) or text.startswith(DELIMITERS)):
                return text
            plain = self.plains.get(text)
            if plain is None:  # most are shared by many hosts
                plain = trust_as_template(text)
                if len(self.plains) < PLAINS:
                    self.plains[text] = plain
            return plain
        if trusted or not ('{' in text or text.startswith('#jinja2')):
            return text
        return wrap_var(text)

    def vault(self, text):
        if trust_as_template:
            return EncryptedString(ciphertext=text)
        value = AnsibleVaultEncryptedUnicode(text)
        value.vault = VaultLib(secrets=self.loader._vault.secrets)
        return value

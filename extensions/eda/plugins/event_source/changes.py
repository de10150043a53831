# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""The event source craton.fleet.changes: changes of a fleet, and the hosts that they affect."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = r'''
---
module: changes
short_description: Changes of a Craton fleet, and the hosts that they affect
version_added: "0.1.0"
author: The Craton authors (@craton-fleet)
description:
  - Creates an event for each change of the fleet, in the order of the changes. C(event.meta.hosts) contains the hosts whose resolved
    variables the change alters. ansible-rulebook limits C(run_playbook), C(run_module) and job templates to these hosts.
  - Runs C(craton changes), a command of the program that the collection contains. It reads the change log of C(craton server) or of
    C(sqlite:PATH), and waits while the server is unavailable.
  - Each event is sent at least once. After a restart of ansible-rulebook, the last events are sent again, with C(event.repeated) true,
    because it is unknown whether their actions ran.
  - The options for the location of the fleet and for credentials are those of the inventory plugin C(craton.fleet.craton), with the same
    names, environment variables and configuration file. C(ansible-doc -t inventory craton.fleet.craton) lists them.
options:
  state_file:
    description: The file that stores how far the change log has been read. Only its owner can read it. Each source needs its own file.
    type: path
    required: true
  kinds:
    description: Only changes of objects of these kinds, such as C(host) or C(region).
    type: list
    elements: str
  actions:
    description: Only changes with these actions, which are C(create), C(update), C(move) and C(delete).
    type: list
    elements: str
  keys:
    description: Only changes of variables whose names match one of these patterns, such as C(ntp*).
    type: list
    elements: str
  affecting:
    description: Only changes that alter the resolved variables of a host.
    type: bool
    default: false
  values:
    description: Whether C(event.before) and C(event.after) include the values of variables. Values may be secrets, and ansible-rulebook logs events.
    type: bool
    default: false
  most_hosts:
    description: Maximum number of hosts in an event. A change that affects more hosts is split into several events.
    type: int
    default: 1000
  hostname:
    description: How hosts are named. Use the same value as in the inventory that the actions use.
    type: str
    choices: [name, ip_address, qualified]
    default: name
  network_devices:
    description: Whether network devices are hosts in that inventory.
    type: bool
    default: false
  resend_events:
    description: Maximum number of events to send again after a restart. ansible-rulebook accepts up to 13 events before it acts on them.
    type: int
    default: 16
  resend_seconds:
    description: Maximum age in seconds of events to send again.
    type: int
    default: 3600
  binary:
    description: The C(craton) program to run. The default is the collection's, or else the one in C(PATH).
    type: path
  config:
    description: The program's configuration file. The default is the file that C(CRATON_CONFIG) names, or else C(~/.config/craton/config.yml).
    type: path
'''

EXAMPLES = r'''
- name: Changes of the fleet
  hosts: all
  sources:
    - craton.fleet.changes:
        url: https://craton.example:7780
        username: eda
        password: "{{ craton_key }}"
        project_id: b9f10eca-66ac-4c27-9c13-9d01e65f96b4
        ca_path: /etc/pki/craton-ca.pem
        state_file: /var/lib/eda/craton-changes.json
        keys: [ntp, ntp_*]
        affecting: true
  rules:
    - name: Configure the hosts whose ntp has changed
      condition: event.action == "update"
      action:
        run_playbook:
          name: ntp.yml
'''

import asyncio
import collections
import difflib
import fcntl
import importlib.util
import json
import logging
import os
import subprocess
import tempfile
import time

import yaml

LOG = logging.getLogger('craton.fleet.changes')

# The root of the collection: this file is extensions/eda/plugins/event_source/changes.py.
ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), *[os.pardir] * 4))

# Arguments that become options of the program, and those that become settings in addition to the connection's.
LISTS = {'kinds': '--kind', 'actions': '--action', 'keys': '--key'}
FLAGS = {'affecting': '--affecting', 'values': '--values'}
NAMES = ('hostname', 'network_devices')
OWN = ('state_file', 'most_hosts', 'resend_events', 'resend_seconds', 'binary', 'config', 'feedback', 'eda_feedback_queue')

# Maximum length in bytes of a line of the program: an event contains names of hosts, and possibly values of variables.
LONGEST = 64 << 20

# Seconds before the program is restarted after it has ended: at first, and at most.
PAUSES = (1, 60)


class ChangesError(Exception):
    """An error that ends the source. The message says what to do."""


def ours(path, name):
    """Load a Python file of the collection, because ansible-rulebook does not import collections as packages."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(ROOT, *path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def settings():
    """Return the environment variable of each setting that can be an argument."""
    fragment = ours(('plugins', 'doc_fragments', 'inventory.py'), 'craton_fleet_inventory_fragment')
    options = yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)['options']
    found = {'config': 'CRATON_CONFIG'}
    for name, option in options.items():
        variables = [one['name'] for one in option.get('env') or []]
        if variables and (name in NAMES or not variables[-1].startswith('CRATON_INVENTORY_')):
            found[name] = variables[-1]
    return found


def word(name, value):
    """Return the value of an argument as text for the program."""
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, (str, int, float)):
        return str(value)
    raise ChangesError('%s must be text, not %s' % (name, type(value).__name__))


def number(args, name, default, least):
    """Return an argument that must be an integer."""
    try:
        value = int(args.get(name, default))
    except (TypeError, ValueError):
        value = None
    if value is None or value < least or isinstance(args.get(name), bool):
        raise ChangesError('%s must be an integer of at least %d' % (name, least))
    return value


def flag(args, name):
    """Return an argument that must be a boolean."""
    value = args.get(name, False)
    if isinstance(value, str) and value.lower() in ('true', 'yes', 'on', 'false', 'no', 'off'):
        value = value.lower() in ('true', 'yes', 'on')
    if not isinstance(value, bool):
        raise ChangesError('%s must be true or false' % name)
    return value


def command(args):
    """Return the arguments and the environment of the program."""
    known = settings()
    for name in args:
        if name not in known and name not in LISTS and name not in FLAGS and name not in OWN:
            near = difflib.get_close_matches(str(name), list(known) + list(LISTS) + list(FLAGS) + list(OWN), 1)
            raise ChangesError('unknown argument %s%s' % (name, '. Did you mean %s?' % near[0] if near else ''))
    environment = dict(os.environ)
    for name, variable in known.items():
        if args.get(name) is not None:
            environment[variable] = word(name, args[name])
    words = ['changes', '--attached', '--most-hosts=%d' % number(args, 'most_hosts', 1000, 1)]
    for name, option in LISTS.items():
        given = args.get(name)
        for one in [given] if isinstance(given, str) else given or []:
            if ',' in word(name, one) or '"' in word(name, one):
                raise ChangesError('%s: values cannot contain commas or quotes' % name)
            words.append('%s=%s' % (option, one))
    words += [option for name, option in FLAGS.items() if flag(args, name)]
    return words, environment


class State:
    """Stores in a file how far the change log has been read. It lags behind, because actions for the last events may not have run."""

    def __init__(self, path, events, seconds):
        self.path = os.path.abspath(os.path.expanduser(path))
        self.events, self.seconds = events, seconds
        self.cursor = ''  # where to continue after a restart
        self.revision = self.count = 0  # the last revision that was sent, and the number of its events
        self.before = (0, 0)  # the same when the program was started
        self.seen = (0, 0)  # the same for the events that the program has printed
        self.recent = collections.deque()  # the time of each event, and the cursor after it
        self.lock = None

    def open(self):
        """Read the file, and lock it."""
        try:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            self.lock = os.open(self.path + '.lock', os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as err:
            raise ChangesError('cannot use the state file %s: %s' % (self.path, err.strerror))
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ChangesError('the state file %s is in use. Each source needs its own state file' % self.path)
        try:
            with open(self.path, encoding='utf-8') as source:
                kept = json.load(source)
            cursor, revision, count = str(kept['cursor']), int(kept['revision']), int(kept['count'])
        except FileNotFoundError:
            return
        except OSError as err:
            raise ChangesError('cannot read the state file %s: %s' % (self.path, err.strerror))
        except (ValueError, LookupError, TypeError):
            LOG.warning('the state file %s is damaged. Continuing with new changes; changes since the last run are lost', self.path)
            return
        self.cursor, self.before = cursor, (revision, count)
        self.revision, self.count = self.before

    def again(self):
        """Prepare for a restart of the program."""
        self.before, self.seen = (self.revision, self.count), (0, 0)

    def close(self):
        if self.lock is not None:
            os.close(self.lock)
            self.lock = None

    def repeats(self, event):
        """Whether an event was put on the queue before this start. Must be called once for each event."""
        revision = event['revision']
        if event['action'] == 'reset':
            self.before = self.seen = (0, 0)
            return False
        last, count = self.seen
        self.seen = (revision, count + 1 if revision == last else 1)
        return self.seen <= self.before

    def put(self, resume, event):
        """Record that an event is on the queue or, without an event, that the log has been read up to a cursor."""
        now = time.monotonic()
        if event is not None:
            self.recent.append((now, resume))
            if event['action'] == 'reset' or self.seen > (self.revision, self.count):
                self.revision, self.count = self.seen
        elif not self.recent:
            self.cursor = resume
        while self.recent and (len(self.recent) > self.events or self.recent[0][0] < now - self.seconds):
            self.cursor = self.recent.popleft()[1]
        if event is not None and not self.events:
            self.cursor = resume
        self.save()

    def save(self):
        """Write the file atomically, readable only by its owner."""
        handle, temporary = tempfile.mkstemp(prefix='.craton-', dir=os.path.dirname(self.path))
        try:
            with os.fdopen(handle, 'w', encoding='utf-8') as out:
                json.dump({'cursor': self.cursor, 'revision': self.revision, 'count': self.count}, out)
                out.flush()
                os.fsync(out.fileno())
            os.replace(temporary, self.path)
        except BaseException:
            os.unlink(temporary)
            raise


async def talk(stream):
    """Log the messages of the program, and return the last line."""
    last = ''
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # too long
            continue
        if not line:
            return last
        last = line.decode('utf-8', 'replace').strip()
        if last and not last.startswith('ERROR: '):
            LOG.warning('%s', last)


async def follow(queue, feedback, program, state, after):
    """Run the program once. Return the number of lines that it printed, the last cursor, and its last message."""
    binary, words, environment = program
    if after:
        words = words + ['--after=' + after]
    lines = 0
    process = await asyncio.create_subprocess_exec(
        'craton', *words, executable=binary, env=environment, limit=LONGEST,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = asyncio.ensure_future(talk(process.stderr))
    try:
        while True:
            text = await process.stdout.readline()
            if not text.endswith(b'\n'):  # the end of the output, or an incomplete line
                break
            line = json.loads(text.decode('utf-8'))
            event, after = line.get('event'), line['resume']
            if event is not None:
                event['repeated'] = state.repeats(event)
                await queue.put(event)
                if feedback is not None:
                    await feedback.get()
            lines += 1
            state.put(after, event)
        await process.wait()
        return lines, after, await said
    finally:
        said.cancel()
        process.stdin.close()
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def main(queue, args):
    """Put changes on the queue, as long as ansible-rulebook runs."""
    words, environment = command(args)
    if not args.get('state_file'):
        raise ChangesError('state_file is missing. Set it to a file that stores how far the change log has been read')
    program = ours(('plugins', 'plugin_utils', 'program.py'), 'craton_fleet_program')
    try:
        binary = os.path.expanduser(args.get('binary') or environment.get('CRATON_BINARY') or program.find())
    except program.ProgramMissing as err:
        raise ChangesError(str(err))
    state = State(word('state_file', args['state_file']), number(args, 'resend_events', 16, 0), number(args, 'resend_seconds', 3600, 0))
    state.open()
    try:
        after, pause, begun = state.cursor, PAUSES[0], False
        while True:
            try:
                lines, after, said = await follow(queue, args.get('eda_feedback_queue'), (binary, words, environment), state, after)
            except OSError as err:
                raise ChangesError('cannot run %s: %s' % (binary, err.strerror or err))
            if not lines and not begun:  # such an error does not go away by waiting
                raise ChangesError(said[len('ERROR: '):] if said.startswith('ERROR: ') else said or 'the program ended without a message')
            pause = PAUSES[0] if lines else min(2 * pause, PAUSES[1])
            begun = True
            LOG.warning('the program ended%s. Restarting it in %d seconds', ' (%s)' % said if said else '', pause)
            await asyncio.sleep(pause)
            state.again()
    finally:
        state.close()

# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""Runs the modules of craton.fleet.

meta/runtime.yml maps every module to this action plugin. If a task runs on the controller, as the user who runs Ansible,
the plugin starts the program with the arguments on its standard input. For every other task, Ansible copies the program to
the machine on which the task runs, like any binary module. The results are the same.
"""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import inspect
import json
import os
import platform
import shutil
import signal
import subprocess

from ansible.errors import AnsibleActionFail, AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.text.converters import to_native, to_text
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash

from ansible_collections.craton.fleet.plugins.plugin_utils.program import (
    ProgramMissing, builds, collection_version, find, linked, target, version)

try:  # ansible-core 2.19 and later
    from ansible.module_utils.common.json import Direction, get_module_encoder
    AnsibleJSONEncoder = wrap_var = None
except ImportError:
    from ansible.module_utils.common.json import AnsibleJSONEncoder
    from ansible.utils.unsafe_proxy import wrap_var
    get_module_encoder = None

try:  # later releases have it in what _parse_returned_data returns
    from ansible.vars.clean import remove_internal_keys
except ImportError:
    remove_internal_keys = None

# The name of the collection, from ansible_collections.NAMESPACE.NAME.plugins.action.craton.
COLLECTION = '.'.join(__name__.split('.')[1:3])

# The serialization profile of the arguments and results of binary modules.
PROFILE = 'legacy'

# Whether _parse_returned_data takes the profile. Checking this for every task would take a tenth of a millisecond.
TAKES_PROFILE = len(inspect.signature(ActionBase._parse_returned_data).parameters) > 2

# Seconds that the program has to exit after SIGTERM.
GRACE = 5


# Options that name a file on the controller, like src of Ansible's own modules.
FILES = {'craton_fleet': 'src'}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    copied = None  # the path of a copy, and the path of the original
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp=None, task_vars=None):
        self._supports_check_mode = True  # 2.14 sets both on the object
        self._supports_async = True
        task_vars = task_vars or {}
        result = super(ActionModule, self).run(None, task_vars)
        if result.get('skipped'):
            return result
        module = self._task.action.rpartition('.')[2]
        args = self.plain_args()
        option = FILES.get(module)
        found = self.find_file(args[option]) if args.get(option) else None
        real = None
        try:
            if found:
                real = args[option] = self._loader.get_real_file(found)  # a decrypted copy if it is a vault
                self.copied = real, found
            if self.here():
                return merge_hash(result, self.run_here(module, args, task_vars))

            wrap_async = bool(self._task.async_val) and not getattr(self._connection, 'has_native_async', False)
            name = self.name_there(module, task_vars)
            if found:
                args[option] = self.send(real, found)
                self.copied = args[option], found
            result = merge_hash(result, self._execute_module(
                module_name=name, module_args=args, task_vars=task_vars, wrap_async=wrap_async))
            if not wrap_async:
                self._remove_tmp_path(self._connection._shell.tmpdir)
            if result.get('rc') == 126 and result.get('failed'):  # from the shell: the program's results have no rc
                result['msg'] = '%s. %s' % (to_text(result.get('msg') or 'the module could not be started').rstrip('.'), self.not_started(result))
            return result
        except AnsibleError as err:
            if found and real is None:
                raise AnsibleActionFail('%s: %s' % (option, to_native(err)))
            raise
        finally:
            if real:
                self._loader.cleanup_tmp_file(real)

    # -- files

    def find_file(self, name):
        """Find a file as Ansible does for src, or relative to the current directory; None if only the remote machine can have it."""
        name = to_text(name)
        try:
            return self._find_needle('files', name)
        except AnsibleFileNotFound as err:
            at = os.path.abspath(os.path.expandvars(os.path.expanduser(name)))
            if os.path.exists(at):
                return at
            if os.path.isabs(os.path.expandvars(os.path.expanduser(name))) and not self.here():
                return None
            places = [to_native(path) for path in err.paths or []]
            places += [path for path in [at] if path not in places]
            raise AnsibleActionFail('src: %s does not exist on the controller. Searched: %s' % (name, ', '.join(places)))

    def send(self, file, name):
        """Copy a file to the machine on which the task runs, into the temporary directory of the task."""
        shell = self._connection._shell
        if shell.tmpdir is None:
            self._make_tmp_path()
        there = shell.join_path(shell.tmpdir, os.path.basename(name))
        self._transfer_file(file, there)
        self._fixup_perms2((shell.tmpdir, there), execute=False)
        return there

    def _parse_returned_data(self, res, *args, **kwargs):
        """Parse a result, with the path of a copy replaced by that of the original file."""
        if self.copied:
            copy, name = (json.dumps(to_text(path), ensure_ascii=False)[1:-1] for path in self.copied)
            res = dict(res, stdout=to_text(res.get('stdout', '')).replace(copy, name))
        return super(ActionModule, self)._parse_returned_data(res, *args, **kwargs)

    def not_started(self, result):
        """Explain what to do if the shell of a machine could not start the copied program."""
        said = ' '.join(to_text(result.get(key) or '') for key in ('module_stderr', 'module_stdout', 'msg')).lower()
        if 'exec format' in said or 'cannot execute binary' in said:
            return 'The copied program is for another system or processor. Gather facts again, or delegate the task to localhost'
        return ('The machine does not allow programs to run in %s, which may be mounted noexec. Set ansible_remote_tmp to another directory, '
                'or delegate the task to localhost, where nothing is copied' % to_text(self.tmp_there()))

    def tmp_there(self):
        try:
            return self._connection._shell.get_option('remote_tmp')
        except (AttributeError, KeyError, AnsibleError):
            return 'the temporary directory of Ansible'

    def here(self):
        """Whether the task runs on the controller, as this user, and not asynchronously."""
        return (getattr(self._connection, 'transport', '') == 'local' and not self._connection.become
                and not self._play_context.become and not self._task.async_val)

    def plain_args(self):
        """Return the arguments as JSON values: ansible-core before 2.19 would fail on dates and vaulted values in a task."""
        if get_module_encoder:
            return dict(self._task.args)
        return json.loads(json.dumps(self._task.args, cls=AnsibleJSONEncoder, vault_to_text=True))

    # -- on the controller

    def run_here(self, module, args, task_vars):
        try:
            binary = find()
        except ProgramMissing as err:
            raise AnsibleActionFail(to_native(err))
        name = '%s.%s' % (COLLECTION, module)
        given = dict(args)
        self._update_module_args(name, args, task_vars)
        encoder = get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE) if get_module_encoder else None
        env = dict(os.environ)
        of_task = {}
        self._compute_environment_string(of_task)
        env.update((to_text(k), to_text(v, nonstring='simplerepr')) for k, v in of_task.items())

        self._display.vvv('Running %s as %s' % (to_native(binary), module))
        # The name under which Ansible starts a copied module, so that the program behaves the same.
        argv, stdin = ['AnsiballZ_' + module, '-'], json.dumps(args, cls=encoder).encode('utf-8')
        try:
            status, stdout, stderr = communicate(argv, binary, env, stdin)
        except PermissionError:
            binary = self.instead(binary)
            status, stdout, stderr = communicate(argv, binary, env, stdin)
        try:
            text = stdout.decode('utf-8')
            if not isinstance(json.loads(text), dict):
                raise ValueError('not an object')
        except ValueError:  # includes UnicodeDecodeError
            said = ' '.join(to_text(stderr, errors='replace').split())
            for secret in sorted(strings(given), key=len, reverse=True):
                said = said.replace(secret, '********')
            raise AnsibleActionFail('%s failed with %s and without a result%s' % (
                module, 'signal %d' % -status if status < 0 else 'status %d' % status,
                ': ' + said[:2000] if said and not self._task.no_log else ''))
        return self.result({'rc': status, 'stdout': text, 'stderr': '', 'stdout_lines': [], 'stderr_lines': []})

    def instead(self, binary):
        """Return craton from PATH, if the controller cannot run the build in the collection."""
        here = ('cannot run %s: Permission denied. The file is not executable, or its file system is mounted noexec'
                % to_native(binary))
        other = shutil.which('craton')
        if not other or os.path.realpath(other) == os.path.realpath(binary):
            raise AnsibleActionFail(
                here + '. Install the collection elsewhere (ansible-galaxy collection install -p DIR), or put craton into a directory in PATH')
        want, have = collection_version(), version(other)
        if want and have != want:
            raise AnsibleActionFail('%s. %s in PATH cannot be used instead: it has version %s, and the collection has version %s. '
                                    'Install the same version of both' % (
                                        here, to_native(other), have or 'unknown', want))
        self._display.warning('%s. Using %s from PATH instead, which has the same version' % (here, to_native(other)))
        return other

    def result(self, output):
        """Convert the output of a module to a result as _execute_module does in this release of ansible-core."""
        if TAKES_PROFILE:
            data = self._parse_returned_data(output, PROFILE)
        else:
            data = self._parse_returned_data(output)
        if hasattr(data, 'as_result_dict'):
            data.remove_internal_keys()
            return data.as_result_dict(for_round_trip=True)
        remove_internal_keys(data)
        return wrap_var(data) if wrap_var else data

    # -- elsewhere

    def name_there(self, module, task_vars):
        """Return the name of the module in the build for the machine on which the task runs."""
        plain = '%s.%s' % (COLLECTION, module)
        available = builds()
        if not available:
            raise AnsibleActionFail('there is no build of craton to copy. Run "make build" in the checkout, or install the collection from its '
                                    'tarball, or delegate the task to localhost, where craton in PATH is enough')
        system, processor = self.machine(task_vars)
        build = 'craton-%s-%s' % (system, processor)
        if build not in available:
            raise AnsibleActionFail(
                '%s has builds for %s, but this task runs on %s/%s. Delegate it to localhost, so that the host needs no program'
                % (plain, ', '.join(b[len('craton-'):].replace('-', '/') for b in available), system, processor))
        try:
            directory = linked(build, module)
        except (OSError, ProgramMissing) as err:
            raise AnsibleActionFail(to_native(err))
        return '.'.join((COLLECTION, directory, module))

    def machine(self, task_vars):
        """Return system and processor of the machine on which the task runs."""
        if getattr(self._connection, 'transport', '') == 'local':
            return target(platform.system(), platform.machine())
        if not self._task.delegate_to:
            facts = task_vars.get('ansible_facts') or {}
            if facts.get('system') and facts.get('machine'):
                return target(to_text(facts['system']), to_text(facts['machine']))
        answer = self._low_level_execute_command('uname -s -m', sudoable=False)
        words = to_text(answer.get('stdout') or '').split()
        if answer.get('rc') != 0 or len(words) < 2:
            raise AnsibleActionFail('cannot determine which build of craton the host needs: "uname -s -m" failed there with status %s'
                                    % answer.get('rc'))
        return target(words[-2], words[-1])


def communicate(argv, binary, env, stdin):
    """Run a program to its end. If the task is interrupted, by its timeout or by the user, the program is terminated."""
    try:
        process = subprocess.Popen(argv, executable=binary, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except PermissionError:
        raise
    except (OSError, ValueError) as err:
        raise AnsibleActionFail('cannot run %s: %s' % (to_native(binary), to_native(getattr(err, 'strerror', None) or err)))
    try:
        stdout, stderr = process.communicate(stdin)
    except BaseException:
        try:
            process.send_signal(signal.SIGTERM)
            process.wait(GRACE)
        except (OSError, subprocess.TimeoutExpired):
            pass
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        raise
    return process.returncode, stdout, stderr


def strings(value):
    """Yield all strings with more than 3 characters in a value: they are masked in the message if a program fails without a result."""
    if isinstance(value, str):
        if len(value) > 3:
            yield str(value)
    elif isinstance(value, (dict, list, tuple)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from strings(inner)

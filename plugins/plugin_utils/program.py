# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""The craton program on the controller: where it is, and what a machine that it may run on is called."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import os
import platform
import shutil
import tempfile

# The root of the collection: this file is plugins/plugin_utils/program.py.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What uname calls a processor, and what Go calls it. What is not here has one name.
PROCESSORS = {'x86_64': 'amd64', 'aarch64': 'arm64', 'armv8l': 'arm64', 'i386': '386', 'i686': '386'}


class ProgramMissing(Exception):
    """There is no program for this machine. The text says where it was looked for and what to do."""


def target(system, machine):
    """The system and processor as Go writes them, such as ('linux', 'amd64'), from what uname -sm says."""
    machine = machine.lower()
    return system.lower(), PROCESSORS.get(machine, machine)


def find():
    """The program for the controller: the collection's own build, or what a checkout has built, or the PATH's."""
    build = 'craton-%s-%s' % target(platform.system(), platform.machine())
    path = unpacked(build, os.path.join(os.path.expanduser('~'), '.cache', 'craton'))
    if path:
        return path
    path = os.path.join(ROOT, 'bin', 'craton')
    # In an installed collection this is a link to the build of one system, which the controller is not.
    if os.path.isfile(path) and not os.path.islink(path):
        return path
    path = shutil.which('craton')
    if path:
        return path
    raise ProgramMissing(
        'there is no craton program for this machine: neither %s in %s nor craton on the PATH. Install the collection '
        'from a tarball that has it, or run "make build" in a checkout' % (build, os.path.join(ROOT, 'bin')))


def builds():
    """The builds that the collection comes with, such as craton-linux-amd64; none in a checkout."""
    try:
        names = os.listdir(os.path.join(ROOT, 'bin'))
    except OSError:
        return []
    return sorted(set(name[:-3] if name.endswith('.xz') else name for name in names if name.startswith('craton-')
                      and name.count('-') == 2))


def linked(build, module):
    """The directory below plugins/modules in which a module is a link to that build: '' is plugins/modules itself."""
    if os.path.realpath(os.path.join(ROOT, 'bin', 'craton')) == os.path.realpath(os.path.join(ROOT, 'bin', build)):
        return ''
    unpacked(build)
    directory = build[len('craton-'):].replace('-', '_')
    link = os.path.join(ROOT, 'plugins', 'modules', directory, module)
    if not os.path.exists(link):
        os.makedirs(os.path.dirname(link), exist_ok=True)
        try:
            os.symlink(os.path.join('..', '..', '..', 'bin', build), link)
        except FileExistsError:  # another process was faster
            pass
    return directory


def unpacked(build, elsewhere=None):
    """The path of a build of the collection, or None if it has none.

    Builds for systems other than the first come packed, for the sake of Galaxy's limit; one is unpacked the first time
    that it is wanted, into bin, where it belongs, or, if that may not be written to, into the directory elsewhere.
    """
    path = os.path.join(ROOT, 'bin', build)
    if os.path.isfile(path):
        return path
    packed = path + '.xz'
    try:
        info = os.stat(packed)
    except OSError:
        return None
    places = [(os.path.dirname(path), build)]
    if elsewhere:  # the name tells one release from another
        places.append((elsewhere, '%s-%x-%x' % (build, info.st_size, int(info.st_mtime))))
    failed = None
    for directory, name in places:
        path = os.path.join(directory, name)
        try:
            # What another user may have put there is not run.
            if os.path.isfile(path) and os.stat(path).st_uid in (os.getuid(), 0):
                return path
            if directory == elsewhere:
                os.makedirs(directory, mode=0o700, exist_ok=True)
            unpack(packed, path)
            return path
        except OSError as err:
            failed = err
    raise ProgramMissing('%s cannot be unpacked: %s. Let somebody who may write to %s run one task or inventory there'
                         % (packed, failed, os.path.dirname(packed)))


def unpack(packed, path):
    """Whole or not at all, also when several processes do it at once."""
    import lzma
    handle, temporary = tempfile.mkstemp(prefix='.craton-', dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, 'wb') as out, lzma.open(packed) as source:
            shutil.copyfileobj(source, out, 1 << 20)
        os.chmod(temporary, 0o755)
        os.rename(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise

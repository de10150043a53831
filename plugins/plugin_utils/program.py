# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""The craton program on the controller: where it is, and what a machine that it may run on is called."""
from __future__ import absolute_import, division, print_function

__metaclass__ = type

import json
import os
import platform
import re
import shutil
import subprocess
import tempfile

# The root of the collection: this file is plugins/plugin_utils/program.py.
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# All builds but the first, one after the other. The file beside it, packed.json, says where each is.
PACKED = os.path.join(ROOT, 'bin', 'packed.xz')

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
    build = own()
    path = unpacked(build, os.path.join(os.path.expanduser('~'), '.cache', 'craton'))
    if path:
        return path
    # In an installed collection bin/craton is a link to the build of one system, which the controller is not.
    if checkout():
        return os.path.join(ROOT, 'bin', 'craton')
    path = shutil.which('craton')
    if path:
        return path
    raise ProgramMissing(
        'there is no craton program for this machine: neither %s in %s nor craton on the PATH. Install the collection '
        'from a tarball that has it, or run "make build" in a checkout' % (build, os.path.join(ROOT, 'bin')))


def own():
    """What a build for the controller is called."""
    return 'craton-%s-%s' % target(platform.system(), platform.machine())


def checkout():
    """Whether this is a checkout, whose only build is bin/craton, for its own machine."""
    path = os.path.join(ROOT, 'bin', 'craton')
    return os.path.isfile(path) and not os.path.islink(path)


def builds():
    """The builds that there are to copy, such as craton-linux-amd64."""
    try:
        names = os.listdir(os.path.join(ROOT, 'bin'))
    except OSError:
        names = []
    found = set(name for name in names if name.startswith('craton-') and name.count('-') == 2).union(packed())
    if not found and checkout():
        found.add(own())
    return sorted(found)


def linked(build, module):
    """The directory below plugins/modules in which the module is a link to that build."""
    if not unpacked(build) and checkout():
        build, directory = 'craton', build
    else:
        directory = build
    directory = directory[len('craton-'):].replace('-', '_')
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
    place = packed().get(build)
    if not place:
        return None
    info = os.stat(PACKED)
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
            unpack(place, path)
            return path
        except OSError as err:
            failed = err
    raise ProgramMissing('%s cannot be unpacked: %s. Let somebody who may write to %s run one task or inventory there'
                         % (build, failed, os.path.dirname(PACKED)))


def packed():
    """Where each packed build is in what comes out of PACKED: a dict of name to offset and size."""
    try:
        with open(PACKED[:-len('xz')] + 'json', encoding='utf-8') as places:
            return json.load(places)
    except (OSError, ValueError):
        return {}


def unpack(place, path):
    """Whole or not at all, also when several processes do it at once."""
    import lzma
    handle, temporary = tempfile.mkstemp(prefix='.craton-', dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, 'wb') as out, lzma.open(PACKED) as source:
            source.seek(place['offset'])
            left = place['size']
            while left:
                piece = source.read(min(left, 1 << 20))
                if not piece:
                    raise EOFError('it ends early')
                out.write(piece)
                left -= len(piece)
        os.chmod(temporary, 0o755)
        os.rename(temporary, path)
    except BaseException as err:
        os.unlink(temporary)
        if isinstance(err, (EOFError, lzma.LZMAError)):
            raise OSError('%s is damaged: %s' % (PACKED, err))
        raise


def version(binary):
    """The version that a program says it has, or None."""
    try:
        text = subprocess.run([binary, '--version'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60, check=True).stdout.decode('utf-8', 'replace')
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'\d+\.\d+\.\d+\S*', text)
    return found.group() if found else None


def collection_version():
    """The version of the installed collection, or None in a checkout."""
    try:
        with open(os.path.join(ROOT, 'MANIFEST.json'), encoding='utf-8') as manifest:
            return json.load(manifest)['collection_info']['version']
    except (OSError, ValueError, LookupError, TypeError):
        return None

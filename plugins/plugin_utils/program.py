# -*- coding: utf-8 -*-
# Copyright: the Craton authors. Apache License 2.0 (see LICENSE).
"""Finds the craton program on the controller, and its builds for other machines."""
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

# All builds except the first, concatenated. packed.json, next to it, has the offset and size of each.
PACKED = os.path.join(ROOT, 'bin', 'packed.xz')

# uname's names of processors that Go calls differently.
PROCESSORS = {'x86_64': 'amd64', 'aarch64': 'arm64', 'armv8l': 'arm64', 'i386': '386', 'i686': '386'}


class ProgramMissing(Exception):
    """There is no program for this machine. The message lists the places that were searched, and what to do."""


def target(system, machine):
    """Return system and processor with Go's names, such as ('linux', 'amd64'), from those that uname -sm prints."""
    machine = machine.lower()
    return system.lower(), PROCESSORS.get(machine, machine)


def find():
    """Return the program for the controller: the build in the collection, that of a checkout, or the one in PATH."""
    build = own()
    path = unpacked(build, os.path.join(os.path.expanduser('~'), '.cache', 'craton'))
    if path:
        return path
    # In an installed collection, bin/craton is a link to the build for one system, which is not the controller's.
    if checkout():
        return os.path.join(ROOT, 'bin', 'craton')
    path = shutil.which('craton')
    if path:
        return path
    raise ProgramMissing(
        'there is no craton program for this machine: neither %s in %s nor craton in PATH. Install the collection '
        'from a tarball that contains it, or run "make build" in a checkout' % (build, os.path.join(ROOT, 'bin')))


def own():
    """Return the file name of a build for the controller."""
    return 'craton-%s-%s' % target(platform.system(), platform.machine())


def checkout():
    """Whether this is a checkout, with bin/craton as the only build, for the machine that built it."""
    path = os.path.join(ROOT, 'bin', 'craton')
    return os.path.isfile(path) and not os.path.islink(path)


def builds():
    """Return the available builds, such as craton-linux-amd64."""
    try:
        names = os.listdir(os.path.join(ROOT, 'bin'))
    except OSError:
        names = []
    found = set(name for name in names if name.startswith('craton-') and name.count('-') == 2).union(packed())
    if not found and checkout():
        found.add(own())
    return sorted(found)


def linked(build, module):
    """Return the directory below plugins/modules in which the module is a link to that build."""
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
        except FileExistsError:  # another process made it
            pass
    return directory


def unpacked(build, elsewhere=None):
    """Return the path of a build in the collection, or None if there is none.

    All builds except the first are compressed, because Galaxy limits the size of a collection. A build is unpacked when it is
    first needed, into bin, or into the directory elsewhere if bin is not writable.
    """
    path = os.path.join(ROOT, 'bin', build)
    if os.path.isfile(path):
        return path
    place = packed().get(build)
    if not place:
        return None
    info = os.stat(PACKED)
    places = [(os.path.dirname(path), build)]
    if elsewhere:  # the name distinguishes releases
        places.append((elsewhere, '%s-%x-%x' % (build, info.st_size, int(info.st_mtime))))
    failed = None
    for directory, name in places:
        path = os.path.join(directory, name)
        try:
            # A file that another user may have put there is not run.
            if os.path.isfile(path) and os.stat(path).st_uid in (os.getuid(), 0):
                return path
            if directory == elsewhere:
                os.makedirs(directory, mode=0o700, exist_ok=True)
            unpack(place, path)
            return path
        except OSError as err:
            failed = err
    raise ProgramMissing('cannot unpack %s: %s. Run one task or inventory as a user who can write to %s'
                         % (build, failed, os.path.dirname(PACKED)))


def packed():
    """Return the offset and size of each build in the decompressed PACKED, by name."""
    try:
        with open(PACKED[:-len('xz')] + 'json', encoding='utf-8') as places:
            return json.load(places)
    except (OSError, ValueError):
        return {}


def unpack(place, path):
    """Unpack a build atomically, even if several processes do so at once."""
    import lzma
    handle, temporary = tempfile.mkstemp(prefix='.craton-', dir=os.path.dirname(path))
    try:
        with os.fdopen(handle, 'wb') as out, lzma.open(PACKED) as source:
            source.seek(place['offset'])
            left = place['size']
            while left:
                piece = source.read(min(left, 1 << 20))
                if not piece:
                    raise EOFError('unexpected end of file')
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
    """Return the version that a program prints, or None."""
    try:
        text = subprocess.run([binary, '--version'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60, check=True).stdout.decode('utf-8', 'replace')
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'\d+\.\d+\.\d+\S*', text)
    return found.group() if found else None


def collection_version():
    """Return the version of the installed collection, or None in a checkout."""
    try:
        with open(os.path.join(ROOT, 'MANIFEST.json'), encoding='utf-8') as manifest:
            return json.load(manifest)['collection_info']['version']
    except (OSError, ValueError, LookupError, TypeError):
        return None

"""Run a program until standard input ends, then end it and remove a directory.

usage: watch.py DIRECTORY PROGRAM [ARGUMENT...]

Standard input is a pipe from the process that wants the program, so it ends with that process, whatever its end.
If the program ends first, so does this, with its status; the directory, which has the log, is then left.
"""
import os
import shutil
import signal
import subprocess
import sys
import threading

# Ctrl-C is for the tests; their end is what counts here.
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_IGN)

# File descriptor 3 is the socket that the program serves on.
directory, argv = sys.argv[1], sys.argv[2:]
child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, pass_fds=(3,), start_new_session=True)
os.close(3)


def end_with_child():
    os._exit(child.wait() & 0xFF)


threading.Thread(target=end_with_child, daemon=True).start()
sys.stdin.buffer.read()
# The directory goes before the child's end is seen, by which this process ends too. Nobody needs a graceful stop.
shutil.rmtree(directory, ignore_errors=True)
os.killpg(child.pid, signal.SIGKILL)
threading.Event().wait(10)

"""Loads a filter that reports a call nobody makes, with or without a listener, and then runs what follows.

A kernel gives one listener at a time: with one here, a run inside is not observed.

usage: listen.py unobserved|observed PROGRAM...
"""
import ctypes
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS = 38
SYS_SECCOMP = 317
SET_MODE_FILTER = 1
NEW_LISTENER = 8
# acct(2), which no program calls.
SYS_ACCT = 163
USER_NOTIFICATION, ALLOW = 0x7FC00000, 0x7FFF0000
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06

listens = sys.argv[1] == "unobserved"
# Without a listener nobody could answer, so that then everything is allowed.
steps = [(LOAD, 0, 0, 0), (IF_EQUAL, 0, 1, SYS_ACCT), (RETURN, 0, 0, USER_NOTIFICATION if listens else ALLOW),
         (RETURN, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code)))
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
listener = libc.syscall(SYS_SECCOMP, SET_MODE_FILTER, NEW_LISTENER if listens else 0, program)
if listener < 0:
    sys.exit(f"the filter cannot be loaded: {os.strerror(ctypes.get_errno())}")
if listens:
    # Past the execution: with its last descriptor the listener would be gone, and the next one could have it.
    os.set_inheritable(listener, True)
os.execv(sys.argv[2], sys.argv[2:])

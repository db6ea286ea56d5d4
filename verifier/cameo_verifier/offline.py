"""Network isolation: a seccomp filter by which the kernel refuses a process every socket (seccomp(2), Linux 3.17).

It refuses `socket` of any family, `io_uring`, which creates sockets without that call, calls that reach into another process of
the same user (`ptrace`, `process_vm_writev`, `pidfd_getfd`), and every call in the numbering of another architecture. A pair of
connected sockets (`socketpair`) is permitted: pipes between processes use it. The filter applies to all threads and children and
cannot be removed. It has a dozen instructions, so it is written here: a library for it would need the system's libseccomp.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import platform
import sys

log = logging.getLogger(__name__)

# linux/prctl.h, linux/seccomp.h. SPEC_ALLOW leaves speculation unchanged: before Linux 5.16 a filter slowed all arithmetic.
_SET_DUMPABLE = 4
_SET_NO_NEW_PRIVS = 38
_SET_MODE_FILTER = 1
_TSYNC = 1 << 0
_SPEC_ALLOW = 1 << 2
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000

# linux/bpf_common.h: load a word of `struct seccomp_data`, jump if equal, jump if greater or equal, return.
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_CALL_AT, _ARCHITECTURE_AT = 0, 4
_X32_CALLS = 0x40000000
"""From here on x86-64 numbers the same calls again, for the x32 ABI."""

# asm/unistd.h: numbers that all architectures share, and for each its AUDIT_ARCH, its seccomp(2), and numbers of its own.
_EVERYWHERE = (425, 426, 427, 438)
"""io_uring_setup, io_uring_enter, io_uring_register, pidfd_getfd."""
_ARCHITECTURES = {
    "x86_64": (0xC000003E, 317, (41, 101, 311)),
    "aarch64": (0xC00000B7, 277, (198, 117, 271)),
}
"""The last: socket, ptrace, process_vm_writev."""


class _Instruction(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("then", ctypes.c_uint8), ("otherwise", ctypes.c_uint8), ("value", ctypes.c_uint32))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(_Instruction)))


class _Process:
    """The state of this process."""

    filtered = False


def go_offline() -> bool:
    """Refuse this process every new socket from now on, in all its threads and children; return whether the kernel does so.

    If it cannot (no Linux, another processor, a container that forbids it), a warning is logged and the process goes on.
    """
    if _Process.filtered:
        return True
    try:
        _install()
    except OSError as error:
        log.warning("the kernel does not cut this process off from the network: %s", error.strerror)
        return False
    _Process.filtered = True
    return True


def forgo_privileges() -> None:
    """Prevent this process and its children from gaining rights, by set-user-id files or otherwise (PR_SET_NO_NEW_PRIVS)."""
    if sys.platform == "linux":
        _prctl(_SET_NO_NEW_PRIVS, 1)


def hide() -> None:
    """Hide environment and memory of this process from others of the same user, and disable core dumps.

    A process with CAP_SYS_PTRACE can read them nevertheless.
    """
    if sys.platform == "linux":
        _prctl(_SET_DUMPABLE, 0)


def _install() -> None:
    known = _ARCHITECTURES.get(platform.machine())
    if sys.platform != "linux" or sys.byteorder != "little" or known is None:
        raise OSError(errno.ENOSYS, f"not known how on {sys.platform} {platform.machine()}")
    architecture, seccomp, own = known
    refused = (*own, *_EVERYWHERE)
    # Jumps count the instructions between: each goes to the last one, which refuses; the one before it allows.
    lines = [(_LOAD, 0, 0, _ARCHITECTURE_AT), (_IF_EQUAL, 0, len(refused) + 3, architecture), (_LOAD, 0, 0, _CALL_AT)]
    lines.append((_IF_AT_LEAST, len(refused) + 1, 0, _X32_CALLS))
    lines += [(_IF_EQUAL, len(refused) - at, 0, call) for at, call in enumerate(refused)]
    lines += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _ERRNO | errno.EPERM)]
    program = _Program(len(lines), (_Instruction * len(lines))(*(_Instruction(*line) for line in lines)))

    libc = _prctl(_SET_NO_NEW_PRIVS, 1)
    answer = libc.syscall(
        ctypes.c_long(seccomp), ctypes.c_ulong(_SET_MODE_FILTER), ctypes.c_ulong(_TSYNC | _SPEC_ALLOW), ctypes.byref(program)
    )
    if answer > 0:
        raise OSError(errno.EBUSY, f"its thread {answer} has a filter of its own")
    if answer:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _prctl(option: int, value: int) -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, *map(ctypes.c_ulong, (value, 0, 0, 0))):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return libc

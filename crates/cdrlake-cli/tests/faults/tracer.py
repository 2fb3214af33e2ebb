"""Runs a command and, at the system call of one's choice, kills it or fails the call.

strace can inject too, but counts per thread and per name of a call, so that some calls of a worker
cannot be reached. Here the calls that change files are numbered across threads and names, from 1.
"""

import ctypes
import os
import platform
import signal
import struct

# By number on x86_64. Whether `open` changes anything depends on its flags.
OPENS = {2: ("open", 1), 257: ("openat", 2)}
CHANGES = {
    1: "write", 18: "pwrite64", 20: "writev", 40: "sendfile", 74: "fsync", 75: "fdatasync",
    76: "truncate", 77: "ftruncate", 82: "rename", 83: "mkdir", 84: "rmdir", 85: "creat",
    86: "link", 87: "unlink", 88: "symlink", 90: "chmod", 91: "fchmod", 92: "chown", 93: "fchown",
    133: "mknod", 132: "utime", 162: "sync", 188: "setxattr", 190: "fsetxattr", 235: "utimes",
    258: "mkdirat", 259: "mknodat", 260: "fchownat", 261: "futimesat", 263: "unlinkat",
    264: "renameat", 265: "linkat", 266: "symlinkat", 268: "fchmodat", 275: "splice",
    277: "sync_file_range", 280: "utimensat", 285: "fallocate", 296: "pwritev", 306: "syncfs",
    316: "renameat2", 326: "copy_file_range", 328: "pwritev2", 452: "fchmodat2",
}  # fmt: skip
# The first argument is a file descriptor; of standard output and error, nothing lasts.
WRITES = {1, 18, 20, 296, 328}
O_CREAT, O_TRUNC, O_TMPFILE = 0o100, 0o1000, 0o20000000

TRACEME, CONT_SYSCALL, SETOPTIONS, POKEUSER, SYSCALL_INFO = 0, 24, 0x4200, 6, 0x420E
# Syscall stops marked; forks, clones and execs followed; killed with the tracer.
OPTIONS = 1 | 2 | 4 | 8 | 16 | 0x100000
ORIG_RAX, RAX = 15 * 8, 10 * 8
WALL = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def ptrace(request, pid, address=0, data=0):
    result = libc.ptrace(request, pid, address, data)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request:#x}")
    return result


class Fault:
    """What happens from call `first` on: for one call, or for all that follow."""

    def __init__(self, first=None, kill=None, errno=None, forever=False, only=None):
        # `kill` is "before" or "after". `only` names calls: others are counted and not harmed.
        self.first, self.kill, self.errno, self.forever = first, kill, errno, forever
        self.only = only

    def hits(self, number, name):
        if self.first is None or (self.only and name not in self.only):
            return False
        return number == self.first or (self.forever and number > self.first)


class Ended:
    def __init__(self, status, calls, stderr, died):
        # The exit status; minus the signal that killed it. `calls` are the names, in order.
        self.status, self.calls, self.stderr, self.died = status, calls, stderr, died


def check():
    """Ends the program, and says why, if commands cannot be traced here."""
    if platform.machine() != "x86_64":
        raise SystemExit("NOT TESTED: the tracer knows the calls of x86_64 only")
    try:
        ended = run(["/bin/sh", "-c", "exit 7"])
    except OSError as error:
        raise SystemExit(f"NOT TESTED: commands cannot be traced here: {error}") from error
    if ended.status != 7:
        raise SystemExit(f"NOT TESTED: a traced command ended {ended.status}, not 7")


def run(command, *faults, cwd=None, paths=False):
    """Runs a command to its end; of several faults that hit a call, the first counts. With `paths`,
    each call comes with the path that its descriptor stands for, if it has one."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if cwd:
                os.chdir(cwd)
            null = os.open("/dev/null", os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            os.dup2(write_end, 2)
            ptrace(TRACEME, 0)
            os.kill(os.getpid(), signal.SIGSTOP)
            os.execv(command[0], command)
        finally:
            os._exit(127)
    os.close(write_end)
    try:
        return _trace(child, faults, read_end, paths)
    finally:
        os.close(read_end)


def _trace(child, faults, stderr_fd, paths):
    os.waitpid(child, WALL)
    ptrace(SETOPTIONS, child, 0, OPTIONS)
    buffer = ctypes.create_string_buffer(128)
    address = ctypes.addressof(buffer)
    calls = []
    # By thread: what its call under way is to become at its exit.
    pending = {}
    seen = {child}
    died = False
    status = None
    ptrace(CONT_SYSCALL, child)
    while True:
        try:
            thread, stop = os.waitpid(-1, WALL)
        except ChildProcessError:
            break
        if os.WIFEXITED(stop) or os.WIFSIGNALED(stop):
            if thread == child:
                status = -os.WTERMSIG(stop) if os.WIFSIGNALED(stop) else os.WEXITSTATUS(stop)
            continue
        delivered = 0
        number = os.WSTOPSIG(stop)
        if number == signal.SIGTRAP | 0x80:
            try:
                ptrace(SYSCALL_INFO, thread, len(buffer), address)
            except OSError:
                continue
            if buffer[0] == b"\x01":
                call, first, second, third = struct.unpack_from("4Q", buffer, 24)
                name = _changes(call, first, second, third)
                if name:
                    calls.append((name, _path(thread, call, first)) if paths else name)
                    hits = (fault for fault in faults if fault.hits(len(calls), name))
                    if fault := next(hits, None):
                        if fault.kill == "before":
                            died = True
                            os.kill(child, signal.SIGKILL)
                            continue
                        pending[thread] = fault
                        if fault.errno:
                            ptrace(POKEUSER, thread, ORIG_RAX, ctypes.c_void_p(-1).value)
            elif buffer[0] == b"\x02" and thread in pending:
                fault = pending.pop(thread)
                if fault.errno:
                    ptrace(POKEUSER, thread, RAX, ctypes.c_void_p(-fault.errno).value)
                else:
                    died = True
                    os.kill(child, signal.SIGKILL)
                    continue
        elif stop >> 16 == 0 and number != signal.SIGTRAP:
            # A new thread begins with a stop that is not meant for it.
            if thread in seen or number != signal.SIGSTOP:
                delivered = number
        seen.add(thread)
        try:
            ptrace(CONT_SYSCALL, thread, 0, delivered)
        except OSError:
            # It was killed meanwhile.
            continue
    stderr = os.read(stderr_fd, 65536).decode(errors="replace")
    return Ended(status, calls, stderr, died)


def _changes(call, first, second, third):
    """The name of a call if it changes files."""
    if call in OPENS:
        name, at = OPENS[call]
        flags = second if at == 1 else third
        # O_TMPFILE shares a bit with O_DIRECTORY.
        makes = flags & (O_CREAT | O_TRUNC) or flags & O_TMPFILE == O_TMPFILE
        return name if makes else None
    if call in WRITES and first & 0xFFFFFFFF <= 2:
        return None
    return CHANGES.get(call)


def _path(thread, call, first):
    """The path of the file that a call's first argument refers to, if it is a descriptor."""
    try:
        return os.readlink(f"/proc/{thread}/fd/{first & 0xFFFFFFFF}")
    except OSError:
        return None

"""Starts one command under Landlock and a seccomp filter, and ends everything that it started when it ends.

Run as `python -I -S _launch.py` with a JSON specification on descriptor 4 (see `landlock-sandbox.ts`). This process stays
outside the walls as the reaper of all below it: TERM is passed on to the command, USR1 kills all. Invariant: it fails
rather than start a command with fewer walls than the kernel's Landlock can give.
"""

import base64
import ctypes
import errno
import json
import os
import resource
import signal
import stat
import struct
import sys
import time

SPECIFICATION = 4
CONTROL = 3

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PR_SET_PDEATHSIG, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 22, 24, 36, 38
SECCOMP_MODE_FILTER = 2
CAPABILITY_VERSION = 0x20080522

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK, TRUNCATE, IOCTL_DEV, RESOLVE_UNIX = 1 << 6, 1 << 11, 1 << 14, 1 << 15, 1 << 16
READ = EXECUTE | READ_FILE | READ_DIR
# What a rule on something that is not a folder may name.
ON_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV | RESOLVE_UNIX
# The number of access rights that each version knows.
RIGHTS_BY_ABI = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16, 6: 16, 7: 16, 8: 16}
NEWEST_RIGHTS = 17

libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    pass


def main():
    try:
        with os.fdopen(SPECIFICATION, "rb") as stream:
            specification = json.load(stream)
        reap_orphans(specification["parent"])
        child = os.fork()
        if child == 0:
            run_command(specification)
    except (Refused, OSError, ValueError) as error:
        fail(error)
    end_like(supervise(child))


def fail(error):
    sys.stderr.write(f"the sandbox could not be set up: {error}\n")
    sys.stderr.flush()
    os._exit(126)


# --- Outside the walls


def reap_orphans(parent):
    """Orphans of the command become our children, and we end when the one who started us does."""
    check(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
    check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGUSR1, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        raise Refused("its parent has ended")


def supervise(child):
    """The wait status of the command; nothing that it started is left when this returns."""
    ending = {"all": False}

    def pass_on(_number, _frame):
        signal_quietly(child, signal.SIGTERM)

    def kill_everything(_number, _frame):
        ending["all"] = True
        kill_all()

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGUSR1, kill_everything)
    for descriptor in (0, 1, 2, CONTROL):
        close_quietly(descriptor)
    status = None
    while status is None:
        pid, ended = os.waitpid(-1, 0)
        if pid == child:
            status = ended
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    while not all_reaped():
        kill_all()
        time.sleep(0.002)
    return status


def all_reaped():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        return True
    return False


def kill_all():
    me = os.getpid()
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            parent = parent_of(name)
            if parent is not None:
                parents[int(name)] = parent
    for pid in parents:
        ancestor, seen = parents[pid], set()
        while ancestor in parents and ancestor != me and ancestor not in seen:
            seen.add(ancestor)
            ancestor = parents[ancestor]
        if ancestor == me:
            signal_quietly(pid, signal.SIGKILL)


def parent_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stream:
            text = stream.read()
    except OSError:
        return None
    # The name, between brackets, may hold anything.
    return int(text[text.rindex(")") + 2 :].split()[1])


def end_like(status):
    """Ends as the command did, by the same signal where it was one."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            if number != signal.SIGKILL:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
            os.kill(os.getpid(), number)
        except (OSError, ValueError):
            # Two real-time signals belong to libc.
            pass
        os._exit(128 + number)
    os._exit(os.WEXITSTATUS(status))


def signal_quietly(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        # It has ended meanwhile.
        pass


def close_quietly(descriptor):
    try:
        os.close(descriptor)
    except OSError:
        # It was not open.
        pass


# --- Inside the walls


def run_command(specification):
    """Becomes the command. Never returns."""
    try:
        os.setsid()
        check(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
        limit(specification)
        os.chdir(specification["cwd"])
        check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
        drop_capabilities()
        restrict(specification)
        os.closerange(CONTROL + 1 if specification["control"] else CONTROL, 1 << 20)
        filter_calls(specification["filter"])
        command = specification["command"]
        os.execve(command, [command, *specification["args"]], specification["env"])
    except (Refused, OSError, ValueError) as error:
        fail(error)


def limit(specification):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if specification["maxFileBytes"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (specification["maxFileBytes"],) * 2)
    if specification["cpuSeconds"] is not None:
        seconds = specification["cpuSeconds"]
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))


def drop_capabilities():
    """Root's would open other processes' memory and variables (CAP_PERFMON), which Landlock does not guard."""
    for capability in range(64):
        # Refused for users who have none to drop, and for numbers that this kernel does not know.
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header, none = struct.pack("Ii", CAPABILITY_VERSION, 0), bytes(24)
    check(libc.capset(header, none), "capset")


def restrict(specification):
    abi = libc.syscall(CREATE_RULESET, None, 0, 1)
    if abi < 1:
        raise Refused("this kernel has no Landlock")
    is_confined = abi >= 4 or specification["filter"] is not None
    if not specification["network"] and not is_confined:
        raise Refused("this kernel's Landlock cannot keep a process from the network")
    rights = (1 << RIGHTS_BY_ABI.get(abi, NEWEST_RIGHTS)) - 1
    network = 0 if specification["network"] or abi < 4 else 3
    scopes = 3 if abi >= 6 else 0
    attributes = struct.pack("QQQ", rights, network, scopes)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    ruleset = check(libc.syscall(CREATE_RULESET, attributes, len(attributes), 0), "landlock")
    for path in specification["read"]:
        add_rule(ruleset, path, READ & rights)
    for path in specification["devices"]:
        add_rule(ruleset, path, (READ_FILE | WRITE_FILE | TRUNCATE) & rights)
    for path in specification["write"]:
        add_rule(ruleset, path, rights & ~(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEV))
    check(libc.syscall(RESTRICT_SELF, ruleset, 0), "landlock")
    os.close(ruleset)


def add_rule(ruleset, path, rights):
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        # System folders that this machine does not have; bound ones were looked for before.
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= ON_FILES
        check(libc.syscall(ADD_RULE, ruleset, 1, struct.pack("<Qi", rights, descriptor), 0), path)
    finally:
        os.close(descriptor)


def filter_calls(encoded):
    if encoded is None:
        return
    program = base64.b64decode(encoded)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(buffer)))
    check(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, header, 0, 0), "seccomp")


def check(result, what):
    if result < 0:
        number = ctypes.get_errno()
        raise Refused(f"{what}: {os.strerror(number)} ({errno.errorcode.get(number, number)})")
    return result


if __name__ == "__main__":
    main()

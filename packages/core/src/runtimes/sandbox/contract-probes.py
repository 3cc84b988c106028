"""Tries doors out of a sandbox, named as arguments, and prints what came of each as JSON: `denied: ..` or what it got.

Run inside, by the contract. Each probe really tries; one that cannot be tried here says so and counts as a failure.
"""

import ctypes
import fcntl
import json
import os
import platform
import resource
import signal
import socket
import subprocess
import sys
import termios
import threading

libc = ctypes.CDLL(None, use_errno=True)
X64 = platform.machine() == "x86_64"


def call(x64, arm64, *arguments):
    number = x64 if X64 else arm64
    if number is None:
        raise PermissionError("no such call on this architecture")
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read(path):
    with open(path, "rb") as stream:
        return stream.read(200)


def write(path):
    with open(path, "wb") as stream:
        stream.write(b"x")
    return "written"


def connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as one:
        one.settimeout(3)
        one.connect(address)
        one.send(b"x")
    return "connected"


def environments(canary):
    """The canary in any process's environment that can be read."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if canary.encode() in read_all(f"/proc/{pid}/environ"):
                return f"found in {pid}, {read_all(f'/proc/{pid}/cmdline')[:200]}"
        except OSError:
            pass
    raise PermissionError("nowhere to be seen")


def read_all(path):
    with open(path, "rb") as stream:
        return stream.read()


def descriptors(allowed):
    """Open descriptors beyond the allowed ones that lead anywhere but to /dev/null."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if int(name) > int(allowed) and target != "/dev/null" and not target.endswith("/fd"):
            found.append(f"{name} -> {target}")
    if not found:
        raise PermissionError("none")
    return found


def nested_user_namespace():
    return subprocess.run(["unshare", "--user", "--map-root-user", "true"], check=True, capture_output=True).returncode


def set_id_file(folder, how):
    path = os.path.join(folder, f"set-id-{how}")
    if how == "open":
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o4755))
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o755))
        os.chmod(path, 0o4755) if how == "chmod" else os.chmod(path, 0o2755)
    return oct(os.stat(path).st_mode)


def type_into_terminal():
    descriptor = os.open("/dev/tty", os.O_RDWR)
    fcntl.ioctl(descriptor, termios.TIOCSTI, b"x")
    return "typed"


def inject():
    try:
        fcntl.ioctl(0, termios.TIOCSTI, b"x")
    except PermissionError:
        raise
    except OSError as error:
        # No terminal is there to type into; the filter would have answered before that was found out.
        return f"not filtered: {error}"
    return "typed"


def clone_namespace():
    # CLONE_NEWUSER | SIGCHLD
    pid = call(56, 220, 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    return pid


def work_goes_on():
    """Not a door: what ordinary programs do must still work behind the filter."""
    seen = []
    thread = threading.Thread(target=seen.append, args=(1,))
    thread.start()
    thread.join()
    out = subprocess.run(["/bin/sh", "-c", "echo hello | cat"], check=True, capture_output=True, text=True).stdout
    left, right = socket.socketpair()
    left.send(b"ok")
    return [seen, out.strip(), right.recv(2).decode(), resource.getrlimit(resource.RLIMIT_CORE)[0]]


PROBES = {
    "read": read,
    "write": write,
    "list": lambda path: os.listdir(path),
    "tcp": lambda port: connect(socket.AF_INET, ("127.0.0.1", int(port))),
    "tcp6": lambda port: connect(socket.AF_INET6, ("::1", int(port))),
    "udp": lambda port: connect(socket.AF_INET, ("127.0.0.1", int(port)), socket.SOCK_DGRAM),
    "metadata": lambda: connect(socket.AF_INET, ("169.254.169.254", 80)),
    "dns": lambda: socket.getaddrinfo("example.com", 80)[0][4][0],
    "unix": lambda path: connect(socket.AF_UNIX, path),
    "abstract": lambda name: connect(socket.AF_UNIX, b"\0" + name.encode()),
    "netlink": lambda: str(socket.socket(16, socket.SOCK_RAW, 0)),
    "packet": lambda: str(socket.socket(17, socket.SOCK_RAW, 3)),
    "vsock": lambda: str(socket.socket(40, socket.SOCK_STREAM)),
    "alg": lambda: str(socket.socket(38, socket.SOCK_SEQPACKET)),
    "raw": lambda: str(socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
    "environments": environments,
    "descriptors": descriptors,
    "signal": lambda pid: os.kill(int(pid), 0) or "may signal",
    "userns": nested_user_namespace,
    "clone": clone_namespace,
    "unshare": lambda: call(272, 97, 0x10000000),
    "mount": lambda: call(165, 40, b"none", b"/tmp", b"tmpfs", 0, None),
    "chroot": lambda: os.chroot("/tmp") or "moved",
    "pivot_root": lambda: call(155, 41, b"/tmp", b"/tmp"),
    "setns": lambda: call(308, 268, os.open("/proc/self/ns/net", os.O_RDONLY), 0),
    "ptrace": lambda: call(101, 117, 0, 0, 0, 0),
    "process_vm_readv": lambda: call(310, 270, os.getpid(), None, 0, None, 0, 0),
    "keyctl": lambda: call(250, 219, 0, -3, 1),
    "add_key": lambda: call(248, 217, b"user", b"name", b"x", 1, -3),
    "bpf": lambda: call(321, 280, 0, None, 0),
    "perf": lambda: call(298, 241, ctypes.create_string_buffer(128), 0, -1, -1, 0),
    "io_uring": lambda: call(425, 425, 1, ctypes.create_string_buffer(128)),
    "userfaultfd": lambda: call(323, 282, 0),
    "kexec": lambda: call(246, 104, 0, 0, None, 0),
    "module": lambda: call(175, 105, b"", 0, b""),
    "open_by_handle": lambda: call(304, 265, -100, ctypes.create_string_buffer(128), 0),
    "personality": lambda: call(135, 92, 0x0008),
    "x32": lambda: call(0x40000000 + 39, None),
    "mknod": lambda folder: os.mknod(os.path.join(folder, "device"), 0o20600, os.makedev(1, 1)),
    "set_id_open": lambda folder: set_id_file(folder, "open"),
    "set_id_chmod": lambda folder: set_id_file(folder, "chmod"),
    "set_gid": lambda folder: set_id_file(folder, "gid"),
    "terminal": type_into_terminal,
    "inject": inject,
    "work": work_goes_on,
}


def attempt(text):
    name, _, argument = text.partition("=")
    try:
        return PROBES[name](*([argument] if argument else []))
    except (OSError, subprocess.CalledProcessError) as error:
        return f"denied: {error}"


print(json.dumps({text: attempt(text) for text in sys.argv[1:]}, default=repr))

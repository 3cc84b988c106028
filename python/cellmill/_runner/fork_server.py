"""Runs the steps of one proof as forks of one process that has their packages imported: `python -s -P fork_server.py`.

Requests come on standard input, one JSON object a line; the first has `preload`, a module's file whose imports are done
here, and `skip`, folders whose modules are the project's own. Then `{id, folder, env}` starts a step in a fork, and
`{id, code}` on descriptor 3 tells its end: for a signal 128 and its number. Invariant: nothing of the author's runs in this
process, so that every step starts from the same state.
"""

from __future__ import annotations

import ast
import gc
import importlib
import json
import os
import select
import signal
import sys
from typing import Any

_ANSWERS = 3


def _preload(file: str, skip: list[str]) -> None:
    """Imports what the module imports at its top, as far as it is installed. What fails here fails in the step, and is told there."""
    with open(file, encoding="utf-8") as stream:
        tree = ast.parse(stream.read())
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            names.append(node.module)
    for name in names:
        if not _is_of_project(name.partition(".")[0], skip):
            try:
                importlib.import_module(name)
            except Exception:  # noqa: S112
                continue


def _is_of_project(top: str, folders: list[str]) -> bool:
    return any(os.path.exists(os.path.join(folder, top + end)) for folder in folders for end in ("", ".py"))


def _start(request: dict[str, Any]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid != 0:
        return pid
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        folder = request["folder"]
        for descriptor, name in ((1, "stdout"), (2, "stderr")):
            opened = os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(opened, descriptor)
            os.close(opened)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.closerange(3, 4096)
        os.environ.clear()
        os.environ.update(request["env"])
        _fill_memory(request["env"].get("MALLOC_PERTURB_"))
        sys.argv = [sys.argv[0], folder]
        os.chdir(os.path.join(folder, "work"))
        from cellmill._runner import run_step

        run_step.main(folder)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(70)


def _fill_memory(byte: str | None) -> None:
    """What the C library does at the start of a process that has this variable, for a fork of one that had not."""
    if byte is not None:
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(-6, int(byte))  # M_PERTURB


def _reap(running: dict[int, str]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        name = running.pop(pid, None)
        if name is not None:
            code = os.waitstatus_to_exitcode(status)
            _answer({"id": name, "code": 128 - code if code < 0 else code})


def _answer(value: dict[str, Any]) -> None:
    os.write(_ANSWERS, (json.dumps(value) + "\n").encode())


def _serve() -> None:
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    running: dict[int, str] = {}
    text = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            _reap(running)
        if 0 not in ready:
            continue
        chunk = os.read(0, 65536)
        if not chunk:
            return
        *lines, text = (text + chunk).split(b"\n")
        for line in lines:
            request = json.loads(line)
            if "preload" in request:
                _preload(request["preload"], request["skip"])
                gc.collect()
                gc.freeze()
            else:
                running[_start(request)] = request["id"]


def _main() -> None:
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path.insert(0, root)
    import cellmill._runner.run_step  # noqa: F401

    sys.path.remove(root)
    _serve()


if __name__ == "__main__":
    _main()

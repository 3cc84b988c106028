"""Reads Python modules for discovery: started once, answers one JSON line for each file it is sent.

Request lines: {"id": N, "content": BASE64}. Answers: first {"ready": {version, stdlib}}, then {"id": N, "facts": {...}}.
Invariant: hostile files end in a diagnostic; memory, time and writing are limited by the process itself.
"""

from __future__ import annotations

import base64
import json
import os
import platform
import sys
import warnings

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from _discover.read_module import read_module

_MEMORY_BYTES = 4 << 30
_RECURSION = 6000


def _limit() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        # Not every system has these limits; the files are only parsed, never run.
        pass


def main() -> None:
    _limit()
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(_RECURSION)
    out = sys.stdout
    ready = {"version": platform.python_version(), "stdlib": sorted(sys.stdlib_module_names)}
    print(json.dumps({"ready": ready}), file=out, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        facts = read_module(base64.b64decode(request["content"]))
        print(json.dumps({"id": request["id"], "facts": facts}), file=out, flush=True)


if __name__ == "__main__":
    main()

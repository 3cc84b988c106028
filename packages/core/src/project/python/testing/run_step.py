"""Runs steps of small test projects for real: one line {root, file, symbol} in, one line with the result's text out.

Each runs in a forked child that imports the module as a step process does, so that nothing stays between them.
"""

import json
import os
import sys
import types

root_of_cellmill = sys.argv[1]
sys.path.append(root_of_cellmill)

import cellmill  # noqa: F401
from cellmill._runner import project_code

sys.dont_write_bytecode = True


def text(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{text(k)}: {text(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return type(value).__name__ + "(" + ", ".join(text(item) for item in value) + ")"
    if isinstance(value, (types.FunctionType, type)):
        return f"<{value.__name__}>"
    return repr(value) if isinstance(value, (int, str, float, bool, type(None))) else f"a {type(value).__name__}"


def run(request):
    try:
        project_code.prepare(request["root"], request["file"])
        module = project_code.import_module(request["root"], request["file"])
        return text(getattr(module, request["symbol"])())
    except BaseException as error:
        return f"{type(error).__name__}: {error}"


for line in sys.stdin:
    request = json.loads(line)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        sys.setrecursionlimit(200)
        sys.stdout = open(os.devnull, "w")
        os.write(writer, run(request).encode()[:60000])
        os._exit(0)
    os.close(writer)
    chunks = []
    while chunk := os.read(reader, 65536):
        chunks.append(chunk)
    os.close(reader)
    os.waitpid(child, 0)
    print(json.dumps({"text": b"".join(chunks).decode()}), flush=True)

"""A step of a past run, opened with exactly its inputs, parameters and code: `python debug.py FOLDER` starts a shell.

FOLDER is made by `cellmill debug`; it holds `work.json`, a copy of the code as it was, and the working directory that the
step sees. Nothing that happens here reaches the store.
"""

from __future__ import annotations

import os
import sys
from typing import Any

if __package__ in (None, ""):
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def open_step(folder: str) -> dict[str, Any]:
    """Names of a shell: the step's function under its own name, its inputs and parameters by argument, and `run()`."""
    from cellmill._authoring import param
    from cellmill._runner import project_code
    from cellmill._runner.run_step import Step

    step = Step(os.path.abspath(folder))
    os.makedirs(step.work_folder, exist_ok=True)
    os.makedirs(step.outputs, exist_ok=True)
    os.chdir(step.work_folder)
    finder = project_code.prepare(step.code_root, step.definition["file"])
    step.generators.start(finder)
    param.provide(step.work["projectParameters"])
    module = project_code.import_module(step.code_root, step.definition["file"])
    function = step._function(module)
    step._run_setups(module)
    inputs = dict(zip((given["argument"] for given in step.work["inputs"]), step._read_inputs(), strict=True))
    parameters = step._parameters(function)
    if step.work["randomState"] is not None:
        step.generators.restore(step.work["randomState"])

    def run(**changed: Any) -> Any:
        """The step again, with the recorded inputs; name an argument to give another value."""
        return function(**{**inputs, **parameters, **changed})

    return {**vars(module), **inputs, **parameters, step.definition["symbol"]: function, "run": run}


def banner(folder: str, names: dict[str, Any]) -> str:
    import json

    with open(os.path.join(folder, "work.json"), encoding="utf-8") as stream:
        work = json.load(stream)
    given = [entry["argument"] for entry in work["inputs"]]
    lines = [f"{work['definition']['id']} of run {work['runId'][-6:]}, with exactly its inputs:"]
    for name in given:
        value = names[name]
        shape = getattr(value, "shape", None)
        lines.append(f"  {name}: {type(value).__name__}{'' if shape is None else f' {shape}'}")
    lines.append(f"run() calls {work['definition']['symbol']} with them; nothing here reaches the store.")
    return "\n".join(lines)


def main(folder: str) -> None:
    names = open_step(folder)
    text = banner(folder, names)
    try:
        import IPython
    except ImportError:
        import code

        code.interact(banner=text, local=names, exitmsg="")
        return
    print(text)
    IPython.start_ipython(argv=["--no-banner"], user_ns=names)


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))

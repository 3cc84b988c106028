"""Values of a proof, handled in a sandboxed process of the project's interpreter: the coordinator unpickles nothing.

Run as a script with a folder that holds `request.json`; the answer is written to `answer.json` beside it. Tasks:
  digest  {tasks: [{key, file, codec, variables}]}  digests of stored values, each variable's own
  inputs  {tasks: [{key, file, member, as, to}]}  captures of the notebook as a step's inputs
  mutants {tasks: [{key, text, function}]}  mutants of a function, see mutate.py
  perturb {tasks: [{key, file, codec, variables}]}  whether a value with one element changed has another digest
  names   {tasks: [{key, module, names}]}  digests of what a written module defines
  differences {tasks: [{key, reference, one, two, variables, digests}]}  what differs in a value from the reference, by its parts
`roots` go first on sys.path; `main` names the module that stands for the notebook's `__main__`.
"""

import hashlib
import importlib
import json
import os
import pickle
import sys
import traceback


class _Unpickler(pickle.Unpickler):
    """What the notebook defined is looked up in the module that graduation wrote."""

    def __init__(self, stream, main):
        super().__init__(stream)
        self._main = main

    def find_class(self, module, name):
        if module == "__main__" and self._main is not None:
            target = importlib.import_module(self._main)
            for part in name.split("."):
                target = getattr(target, part)
            return target
        return super().find_class(module, name)


def _load_pickle(path, main=None):
    with open(path, "rb") as stream:
        return _Unpickler(stream, main).load()


def _load(task, main):
    if task["codec"] == "parquet":
        from cellmill._runner.table_codec import read_table

        return read_table([task["file"]], "pandas", None)
    return _load_pickle(task["file"], main)


def _members(value, variables):
    """An alias group is one stored value: a dict by name, or a sequence in the order of the names."""
    if len(variables) == 1:
        return {variables[0]: value}
    if isinstance(value, dict):
        return {name: value[name] for name in variables}
    return dict(zip(variables, value, strict=True))


def digest_task(task, request):
    from cellmill._notebook import encode

    answers = {}
    for name, member in _members(_load(task, request.get("main")), task["variables"]).items():
        try:
            answers[name] = {"digest": encode.digest(member), "problem": None, "type": _type_name(member)}
        except encode.Unencodable as error:
            answers[name] = {"digest": None, "problem": str(error), "type": _type_name(member)}
    return answers


def input_task(task, request):
    value = _load_pickle(task["file"], request.get("main"))
    if task.get("member") is not None:
        value = value[task["member"]]
    os.makedirs(os.path.dirname(task["to"]), exist_ok=True)
    if task["as"] == "parquet":
        from cellmill._runner.table_codec import write_table

        write_table(value, task["to"])
    else:
        with open(task["to"], "wb") as stream:
            pickle.dump(value, stream, protocol=5)
    return {}


def names_task(task, request):
    from cellmill._notebook import encode

    module = importlib.import_module(task["module"])
    answers = {}
    for name in task["names"]:
        if not hasattr(module, name):
            continue
        value = getattr(module, name)
        try:
            answers[name] = {"digest": encode.digest(value), "problem": None, "type": _type_name(value)}
        except encode.Unencodable as error:
            answers[name] = {"digest": None, "problem": str(error), "type": _type_name(value)}
    return answers


def mutants_task(task, request):
    from cellmill._notebook import mutate

    return mutate.mutants(task["text"], task["function"])


def perturb_task(task, request):
    from cellmill._notebook import encode

    answers = {}
    for name, member in _members(_load(task, request.get("main")), task["variables"]).items():
        before = encode.digest(member)
        changed = _perturbed(member)
        answers[name] = None if changed is None else encode.digest(changed) != before
    return answers


class _Parts:
    """A sink that keeps a digest of each leaf, by its place."""

    fast = False

    def __init__(self):
        self.parts = {}
        self._path = []
        self._label = ""

    def label(self, text):
        self._label = text

    def leaf(self, tag, payload, value=None):
        place = "".join(self._path) + self._take()
        self.parts.setdefault(place, []).append((tag, hashlib.sha256(payload).digest()))

    def open(self, tag, value=None):
        self._path.append(self._take())
        self.parts.setdefault("".join(self._path), []).append((tag, b""))

    def close(self):
        self._path.pop()

    def _take(self):
        text, self._label = self._label, ""
        return text


def _parts(value):
    from cellmill._notebook import encode

    sink = _Parts()
    encode.Encoder(sink).walk(value)
    return sink.parts


def _differing(one, other):
    return [place for place in {**one, **other} if one.get(place) != other.get(place)]


def _digest(value):
    from cellmill._notebook import encode

    return encode.digest(value)


def differences_task(task, request):
    reference, one, two = (
        _members(_load(task[name], request.get("main")), task["variables"]) for name in ("reference", "one", "two")
    )
    answers = {}
    for name in task["variables"]:
        # Called only for values that an earlier replay did not bring back: none differing now is unsteady too.
        wanted, first, second = (_parts(values[name]) for values in (reference, one, two))
        # One replay that gives the notebook's value says as much as both.
        differing = min(_differing(wanted, first), _differing(wanted, second), key=len)
        unsteady = set(_differing(first, second))
        # What a pickle does not bring back is no noise: the capture itself must be the value that the notebook had.
        faithful = _digest(reference[name]) == task["digests"][name]
        answers[name] = {
            "parts": len({**wanted, **first}),
            "differing": len(differing),
            "examples": [place or "all of it" for place in differing[:3]],
            "unsteady": faithful and all(place in unsteady for place in differing),
        }
    return answers


def _perturbed(value):
    """A copy with one element changed, or None where that is not known how."""
    kind = type(value).__name__
    if kind in ("DataFrame", "Series") and type(value).__module__.startswith("pandas") and len(value):
        return value.iloc[:-1]
    if kind == "ndarray" and value.size:
        return value.reshape(-1)[:-1]
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1 if value - value == 0 and value + 1 != value else 0
    if isinstance(value, str):
        return value + " "
    if isinstance(value, (list, tuple)):
        return type(value)([*value, None]) if type(value) in (list, tuple) else None
    if type(value) is dict:
        return {**value, "perturbed": True}
    return None


def _type_name(value):
    return f"{type(value).__module__}.{type(value).__qualname__}"


_TASKS = {"digest": digest_task, "inputs": input_task, "names": names_task, "mutants": mutants_task, "perturb": perturb_task, "differences": differences_task}


def main(folder):
    with open(os.path.join(folder, "request.json"), encoding="utf-8") as stream:
        request = json.load(stream)
    package_root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path[:0] = [*request.get("roots", []), package_root]
    sys.path.append(request["last"])
    handler = _TASKS[request["task"]]
    answers = {}
    for task in request["tasks"]:
        try:
            answers[task["key"]] = {"ok": True, "value": handler(task, request)}
        except Exception as error:  # one value that does not load must not hide the others
            trace = traceback.format_exc(limit=-3)
            answers[task["key"]] = {"ok": False, "problem": f"{type(error).__name__}: {error}", "trace": trace}
    temporary = os.path.join(folder, "answer.json.tmp")
    with open(temporary, "w", encoding="utf-8") as stream:
        json.dump(answers, stream)
    os.replace(temporary, os.path.join(folder, "answer.json"))


if __name__ == "__main__":
    main(sys.argv[1])

"""One module's bytes to its facts. Never raises for what is in the file: a file that cannot be read says why and where."""

from __future__ import annotations

import ast

from .source import Source
from .steps import StepReader
from .units import UnitReader, module_aliases


def read_module(content: bytes) -> dict[str, object]:
    source = Source(content)
    try:
        tree = ast.parse(content, type_comments=False)
        return _facts(source, tree)
    except SyntaxError as error:
        length = (error.end_offset or 0) - (error.offset or 0) if error.end_lineno == error.lineno else 1
        place = source.at(error.lineno or 1, error.offset or 1, length)
        if not place["lineText"] and error.text:
            place["lineText"] = error.text.rstrip("\n")
        return {"error": {"message": error.msg, "at": place}}
    except (ValueError, UnicodeError) as error:
        return {"error": {"message": str(error), "at": source.at(1, 1, 1)}}
    except (RecursionError, MemoryError):
        return {"error": {"message": "it is nested too deeply to be read", "at": source.at(1, 1, 1)}}


def _facts(source: Source, tree: ast.Module) -> dict[str, object]:
    aliases = module_aliases(tree)
    facts = UnitReader(source, tree, aliases).read()
    steps = StepReader(source, tree, aliases, facts)
    steps.read()
    return {
        **facts.json(),
        "steps": steps.steps,
        "setups": steps.setups,
        "parameters": steps.parameters,
        "diagnostics": steps.diagnostics,
    }

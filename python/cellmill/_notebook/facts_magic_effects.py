"""What magics and shell lines do to names, settings and files.

Invariant: a magic that is not in the table here is noted as dynamic (`magic:NAME`): nothing is assumed of it.
"""

from __future__ import annotations

import ast
import re
import shlex
from typing import TYPE_CHECKING

from cellmill._notebook.facts_magics import RUNS_ARGUMENT, RUNS_BODY, MagicUse
from cellmill._notebook.facts_tokens import place_token, sql_tables
from cellmill._notebook.facts_values import Value

if TYPE_CHECKING:
    from cellmill._notebook.facts_walk import Walker

_SETTINGS = {"matplotlib": "cfg:matplotlib", "config": "cfg:ipython", "cd": "cfg:cwd", "pushd": "cfg:cwd", "popd": "cfg:cwd", "env": "cfg:environ", "set_env": "cfg:environ", "precision": "cfg:numpy", "autosave": "cfg:ipython", "autoreload": "cfg:ipython", "xmode": "cfg:ipython", "pdb": "cfg:ipython", "load_ext": "cfg:ipython", "reload_ext": "cfg:ipython"}
_HARMLESS = RUNS_ARGUMENT | RUNS_BODY | {"html", "HTML", "javascript", "js", "svg", "latex", "markdown", "who", "whos", "who_ls", "pwd", "ls", "ll", "lsmagic", "magic", "quickref", "pinfo", "pinfo2", "pdoc", "psource", "pfile", "watermark", "version_information", "time", "timeit", "pip", "conda", "mamba", "uv", "cat", "clear", "tb", "notebook", "connect_info"}
_DYNAMIC = {"run": "run", "load": "run", "loadpy": "run", "pylab": "star-import", "store": "store", "reset": "reset", "reset_selective": "reset", "recall": "history", "rerun": "history", "history": "history", "macro": "run", "edit": "run", "R": "language:R", "julia": "language:julia", "cython": "run", "cppmagic": "run", "px": "run"}
_LANGUAGES = {"bash", "sh", "script", "perl", "ruby", "python2", "cmd", "system", "sx", "!"}
_DOWNLOAD = re.compile(r"\bhttps?://([^\s/'\"]+)")


def apply_magic(walker: Walker, magic: MagicUse, node: ast.stmt) -> None:
    span = {"line": magic.line, "column": magic.column, "endLine": magic.end_line, "endColumn": magic.end_column}
    for name in magic.reads:
        if not walker.is_local(name) and name not in walker.definite and name not in walker.record.bound:
            walker.record.read(name, [], span)
    if magic.kind != "help":
        _effects(walker, magic, span)
    if magic.assigned_to:
        walker.bind(magic.assigned_to, Value())


def _effects(walker: Walker, magic: MagicUse, span: dict) -> None:
    record, name = walker.record, magic.name
    if magic.kind == "shell" or name in _LANGUAGES:
        record.token("shell", "write", magic.argument.split("\n")[0][:120] or name, span)
        for host in _DOWNLOAD.findall((magic.argument or "") + (magic.body or "")):
            record.token(f"net:{host}", "read", "a shell command", span)
        return
    if name in _SETTINGS:
        reads = name == "env" and "=" not in magic.argument and " " not in magic.argument
        record.token(_SETTINGS[name], "read" if reads else "write", f"%{name} {magic.argument}".strip()[:120], span)
    elif name in ("writefile", "file"):
        words = _words(magic.argument)
        paths = [word for word in words if not word.startswith("-")]
        record.token(place_token(paths[0] if paths else None), "write", f"%%{name}", span)
    elif name == "sql":
        read, written = sql_tables(magic.body or magic.argument)
        for mode, tables in (("read", read), ("write", written)):
            for table in tables:
                if mode == "read" and walker.env.get(table) is not None:
                    record.read(table, [], span)
                else:
                    record.token(f"table:{table}", mode, "%sql", span)
    elif name in _DYNAMIC:
        record.note(_DYNAMIC[name])
        if name == "R":
            _r_names(walker, magic, span)
        if name in ("run", "load", "loadpy"):
            words = _words(magic.argument)
            record.token(place_token(words[0] if words else None), "read", f"%{name}", span)
    elif name not in _HARMLESS:
        record.note(f"magic:{name}")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _r_names(walker: Walker, magic: MagicUse, span: dict) -> None:
    """`%%R -i df -o result`: what goes in and comes out."""
    for flag, names in re.findall(r"-(i|o)\s+([\w.,]+)", magic.argument):
        for name in names.split(","):
            if flag == "i":
                walker.record.read(name, [], span)
            else:
                walker.bind(name, Value())

"""Reads IPython syntax (magics, shell lines, help) out of a cell and leaves plain Python with the same lines.

IPython's own transformer rewrites a cell into calls and loses columns, so this one replaces each escape by `pass`
in place; `facts.py` compares the two readings where IPython is installed. Invariant: line N of the result is line N
of the cell, and `shifts[N]` columns were removed from its start (IPython strips a common indent and prompts).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

# Line magics whose argument is Python that runs in the notebook's namespace.
RUNS_ARGUMENT = {"time", "prun", "memit", "mprun", "lprun", "timeit", "debug"}
RUNS_BODY = {"time", "prun", "memit", "timeit", "capture", "debug", "snakeviz", "pyinstrument", "ipytest"}
# Its statement is a function of its own: it reads names but binds none.
BINDS_NOTHING = {"timeit", "memit", "lprun", "mprun"}
AUTOMAGIC = {"cd", "ls", "pwd", "pip", "conda", "matplotlib", "env", "load_ext", "who", "whos", "mkdir", "cat", "rm", "cp", "mv", "ll", "time", "timeit", "run", "clear", "reset", "pylab"}

_PROMPT = re.compile(r"^(>>>|\.\.\.)( |$)")
_PROMPT_IN = re.compile(r"^(In \[\d+\]: |\s*\.{3,}: ?)")
_ASSIGN = re.compile(r"^(?P<lhs>[\w.\[\]'\",\s*]+?)=\s*(?P<escape>%(?=[A-Za-z_])|!(?!=))")
_HELP = re.compile(r"^\s*(%{0,2}(?!\d)[\w*]+(?:\.[\w*]+|\[-?\d+\])*)(\?\??)\s*$")
_OPTION = re.compile(r"^(-[a-zA-Z]+\s*(?:(?<=[nrplsTDf])\s*\S+\s+|\d+\s+)?)")
_WORD = re.compile(r"[^\W\d]\w*")
_EXPANSION = re.compile(r"\{([^{}]+)\}|(?<!\$)\$([^\W\d]\w*)|(?<!\$)\$\{([^\W\d]\w*)\}")


@dataclass
class MagicUse:
    kind: str
    name: str
    argument: str
    body: str | None
    assigned_to: str | None
    reads: list[str]
    line: int
    column: int
    end_line: int
    end_column: int
    # Python that it runs, with the 1-based line and the column at which that text starts.
    payload: str | None = None
    payload_at: tuple[int, int] = (0, 0)


@dataclass
class PlainCell:
    lines: list[str]
    shifts: list[int]
    magics: list[MagicUse] = field(default_factory=list)
    # Line of the `pass` that stands for a magic.
    placeholders: dict[int, MagicUse] = field(default_factory=dict)
    # The cell magic whose body the other lines are, where that body is Python.
    wrapper: MagicUse | None = None

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def names_expanded(text: str) -> list[str]:
    """Python names that `{expression}` and `$name` read in a shell line or a line magic."""
    names: list[str] = []
    for braces, plain, braced in _EXPANSION.findall(text):
        if plain or braced:
            names.append(plain or braced)
            continue
        try:
            tree = ast.parse(braces.strip(), mode="eval")
        except (SyntaxError, ValueError):
            continue
        names.extend(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return list(dict.fromkeys(names))


def plain_cell(source: str) -> PlainCell:
    lines = source.split("\n")
    cell = _strip_prompts_and_indent(lines)
    first = next((number for number, line in enumerate(cell.lines) if line.strip()), None)
    if first is None:
        return cell
    if cell.lines[first].startswith("%%") and not re.match(r"%%\w+\?", cell.lines[first]):
        _read_cell_magic(cell, first)
        if cell.wrapper is None:
            return cell
    _read_lines(cell)
    _read_automagic(cell)
    return cell


def _strip_prompts_and_indent(lines: list[str]) -> PlainCell:
    out = list(lines)
    shifts = [0] * len(lines)
    filled = [line for line in lines if line.strip()]
    if not filled:
        return PlainCell(out, shifts)
    for pattern in (_PROMPT, _PROMPT_IN):
        if pattern.match(filled[0]):
            for number, line in enumerate(out):
                found = pattern.match(line)
                if found:
                    out[number] = line[found.end() :]
                    shifts[number] = found.end()
            return PlainCell(out, shifts)
    indent = filled[0][: len(filled[0]) - len(filled[0].lstrip(" \t"))]
    if indent:
        for number, line in enumerate(out):
            if line.startswith(indent):
                out[number] = line[len(indent) :]
                shifts[number] = len(indent)
    return PlainCell(out, shifts)


def _split_magic(text: str) -> tuple[str, str]:
    name, _, argument = text.strip().partition(" ")
    return name, argument.strip()


def _read_cell_magic(cell: PlainCell, first: int) -> None:
    name, argument = _split_magic(cell.lines[first][2:])
    body = "\n".join(cell.lines[first + 1 :])
    magic = MagicUse(
        "cell", name, argument, body, None, names_expanded(argument),
        first + 1, cell.shifts[first], len(cell.lines), len(cell.lines[-1]) + cell.shifts[-1],
    )
    cell.magics.append(magic)
    if name == "sql":
        magic.reads = list(dict.fromkeys(magic.reads + names_expanded(body) + re.findall(r"(?<![:\w]):([^\W\d]\w*)", body)))
    if name == "capture" and argument and not argument.startswith("-"):
        magic.assigned_to = argument.split()[0]
    elif name == "capture":
        words = [word for word in argument.split() if not word.startswith("-")]
        magic.assigned_to = words[0] if words else None
    if name in RUNS_BODY:
        cell.lines[first] = ""
        cell.wrapper = magic
        if name == "timeit" and strip_options(argument):
            magic.payload = strip_options(argument)
            magic.payload_at = (first + 1, 0)
        return
    for number in range(first, len(cell.lines)):
        cell.lines[number] = ""
    cell.lines[first] = "pass"
    cell.placeholders[first + 1] = magic


def strip_options(argument: str) -> str:
    while True:
        found = _OPTION.match(argument)
        if not found or not found.group(0):
            return argument
        argument = argument[found.end() :]


class _LineState:
    """Where a line ends as Python sees it: inside a string, inside brackets, after a backslash, or at its end."""

    def __init__(self) -> None:
        self.quote: str | None = None
        self.depth = 0
        self.continued = False

    @property
    def starts_statement(self) -> bool:
        return self.quote is None and self.depth == 0 and not self.continued

    def feed(self, line: str) -> None:
        self.continued = False
        position = 0
        while position < len(line):
            if self.quote is not None:
                position = self._inside_string(line, position)
                continue
            char = line[position]
            if char == "#":
                return
            if char in "\"'":
                self.quote = char * 3 if line.startswith(char * 3, position) else char
                position += len(self.quote)
                continue
            if char in "([{":
                self.depth += 1
            elif char in ")]}":
                self.depth = max(0, self.depth - 1)
            elif char == "\\" and position == len(line) - 1:
                self.continued = True
            position += 1
        if self.quote is not None and len(self.quote) == 1 and not line.endswith("\\"):
            self.quote = None

    def _inside_string(self, line: str, position: int) -> int:
        if line[position] == "\\":
            return position + 2
        assert self.quote is not None
        if line.startswith(self.quote, position):
            position += len(self.quote)
            self.quote = None
            return position
        return position + 1


def _read_lines(cell: PlainCell) -> None:
    state = _LineState()
    number = 0
    while number < len(cell.lines):
        line = cell.lines[number]
        if state.starts_statement and (number + 1) not in cell.placeholders:
            end = _read_escape(cell, number)
            if end is not None:
                number = end
                continue
        state.feed(cell.lines[number])
        number += 1


def _joined(cell: PlainCell, number: int) -> tuple[str, int]:
    text = cell.lines[number]
    end = number
    while text.endswith("\\") and end + 1 < len(cell.lines):
        end += 1
        text = text[:-1] + " " + cell.lines[end].strip()
    return text, end


def _read_escape(cell: PlainCell, number: int) -> int | None:
    """Replaces the escape that starts at this line, if any; gives the next line to look at."""
    line = cell.lines[number]
    stripped = line.lstrip(" \t")
    if not stripped:
        return None
    indent = line[: len(line) - len(stripped)]
    assign = _ASSIGN.match(line)
    if assign and "#" not in assign.group("lhs"):
        text, end = _joined(cell, number)
        rest = text[assign.end() :]
        shell = assign.group("escape") == "!"
        name, argument = ("", rest.strip()) if shell else _split_magic(rest)
        targets = _WORD.findall(assign.group("lhs"))
        magic = _magic(cell, "shell" if shell else "line", name, argument, number, end)
        magic.assigned_to = targets[0] if targets else None
        if shell:
            magic.name = argument.split()[0] if argument.split() else ""
        else:
            _add_payload(magic, text, number)
        cell.magics.append(magic)
        _blank(cell, number, end, line[: assign.end() - len(assign.group("escape"))] + "None")
        cell.placeholders[number + 1] = magic
        return end + 1
    if stripped[0] in "%!":
        text, end = _joined(cell, number)
        body = text.strip()
        help_match = _HELP.match(body)
        if help_match:
            magic = _magic(cell, "help", help_match.group(1), "", number, end)
        elif body.startswith("!"):
            argument = body.lstrip("!").strip()
            magic = _magic(cell, "shell", argument.split()[0] if argument.split() else "", argument, number, end)
        else:
            name, argument = _split_magic(body.lstrip("%"))
            if not re.match(r"[^\W\d]", name):
                return None
            magic = _magic(cell, "line", name, argument, number, end)
            _add_payload(magic, text, number)
    elif stripped[0] == "?":
        end = number
        magic = _magic(cell, "help", stripped.strip("? "), "", number, end)
    elif _HELP.match(line) and "#" not in line:
        found = _HELP.match(line)
        assert found
        end = number
        magic = _magic(cell, "help", found.group(1), "", number, end)
    else:
        return None
    cell.magics.append(magic)
    _blank(cell, number, end, indent + "pass")
    cell.placeholders[number + 1] = magic
    return end + 1


def _add_payload(magic: MagicUse, text: str, number: int) -> None:
    if magic.name not in RUNS_ARGUMENT:
        return
    payload = strip_options(magic.argument)
    if payload:
        magic.payload = payload
        magic.payload_at = (number + 1, max(0, text.find(payload)))


def _magic(cell: PlainCell, kind: str, name: str, argument: str, start: int, end: int) -> MagicUse:
    reads = [] if kind == "help" else names_expanded(argument)
    shift = cell.shifts[start]
    column = len(cell.lines[start]) - len(cell.lines[start].lstrip(" \t")) + shift
    return MagicUse(kind, name, argument, None, None, reads, start + 1, column, end + 1, len(cell.lines[end]) + cell.shifts[end])


def _blank(cell: PlainCell, start: int, end: int, replacement: str) -> None:
    cell.lines[start] = replacement
    for number in range(start + 1, end + 1):
        cell.lines[number] = ""


def _read_automagic(cell: PlainCell) -> None:
    """`cd data` without a percent sign: IPython accepts it only where the cell is one line."""
    filled = [number for number, line in enumerate(cell.lines) if line.strip()]
    if len(filled) != 1 or cell.placeholders:
        return
    number = filled[0]
    line = cell.lines[number]
    found = _WORD.match(line)
    if not found or found.group(0) not in AUTOMAGIC:
        return
    try:
        tree = ast.parse(line)
        if not (len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr) and isinstance(tree.body[0].value, ast.Name)):
            return
    except (SyntaxError, ValueError):
        if line[found.end() : found.end() + 1] not in ("", " "):
            return
    name, argument = _split_magic(line)
    magic = _magic(cell, "line", name, argument, number, number)
    _add_payload(magic, line, number)
    cell.magics.append(magic)
    _blank(cell, number, number, "pass")
    cell.placeholders[number + 1] = magic

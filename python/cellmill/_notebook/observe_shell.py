"""`!pip install` and its kin are recorded as dependencies and not executed; every other magic runs as IPython runs it."""

from __future__ import annotations

import re
import sys
from typing import Any, Callable

_INSTALL = re.compile(
    r"(?:^|[;&|]\s*|\bsudo\s+)(?:\S*python[\d.]*\s+-m\s+|uv\s+)?"
    r"(?:(?:\S*/)?pip[\d.]*|conda|mamba|apt|apt-get|easy_install)\s+(?:-\S+\s+)*(?:install|uninstall|update|upgrade)\b"
)
_MAGICS = ("pip", "conda", "mamba", "micromamba", "uv")


def is_install(command: str) -> bool:
    return _INSTALL.search(command.strip()) is not None


def refuse_installs(shell: Any, note: Callable[[str], None]) -> None:
    """IPython expands `{name}` from the frame that called it, so its own calls are guarded behind that."""
    for module in (sys.modules.get("IPython.core.interactiveshell"), sys.modules.get("ipykernel.zmqshell")):
        for function, nothing in (("system", lambda: 0), ("getoutput", lambda: "")):
            original = getattr(module, function, None)
            if callable(original):
                setattr(module, function, _guarded(original, nothing, note))
    for name in _MAGICS:
        original = shell.find_line_magic(name)
        shell.register_magic_function(_magic(name, original, note), "line", name)


def _guarded(original: Callable[..., Any], nothing: Callable[[], Any], note: Callable[[str], None]) -> Callable[..., Any]:
    def guarded(command: str, *args: Any, **options: Any) -> Any:
        if is_install(command):
            note(command.strip())
            return nothing()
        return original(command, *args, **options)

    return guarded


def _magic(name: str, original: Any, note: Callable[[str], None]) -> Callable[[str], Any]:
    def magic(line: str) -> Any:
        """Installs nothing: packages come from the lock."""
        if original is None or is_install(f"{name} {line}"):
            note(f"{name} {line}".strip())
            return None
        return original(line)

    return magic

"""While the observer works: no change to the warning filters' version, or warnings shown once would be shown again."""

from __future__ import annotations

import contextlib
import warnings
from typing import Iterator

_MUTATED = ("_filters_mutated", "_filters_mutated_lock_held")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """`catch_warnings` in libraries raises the version, at which every module forgets what it has warned of."""
    saved = {name: getattr(warnings, name) for name in _MUTATED if hasattr(warnings, name)}
    for name in saved:
        setattr(warnings, name, lambda: None)
    try:
        yield
    finally:
        for name, function in saved.items():
            setattr(warnings, name, function)

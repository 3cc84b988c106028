"""The global generators: seeded from the step's identity as soon as their library is there, or set to a stored state.

A generator is seeded once, before any of the author's code can use it, so a seed that the author sets wins.
"""

from __future__ import annotations

import pickle
import random
import sys
from .._types import Any

from .project_code import ProjectFinder

ENTRY = "random.pickle"


class Generators:
    """`seed` None leaves the generators as the operating system seeded them."""

    def __init__(self, seed: str | None) -> None:
        self._seed = None if seed is None else random.Random(seed).getrandbits(64)
        self._initial: dict[str, Any] = {}
        self._restored = False

    def start(self, finder: ProjectFinder) -> None:
        if self._seed is not None:
            random.seed(self._seed)
        self._initial["python"] = random.getstate()
        finder.after_import("torch", self._start_torch)

    def start_numpy(self, module: Any) -> None:
        """To be called once numpy.random has been imported."""
        if self._seed is not None:
            module.seed(self._seed % 2**32)
        self._initial["numpy"] = _numpy_state(module)

    def _start_torch(self, module: Any) -> None:
        if self._seed is not None:
            module.manual_seed(self._seed % 2**63)
        self._initial["torch"] = _torch_state(module)

    def restore(self, path: str) -> None:
        """The states that another asset's step ended with. Libraries named in it are imported for that."""
        with open(path, "rb") as stream:
            states = pickle.load(stream)
        random.setstate(states["python"])
        if "numpy" in states:
            import numpy

            name, keys, position, has_gauss, cached = states["numpy"]
            numpy.random.set_state((name, numpy.frombuffer(keys, dtype="<u4"), position, has_gauss, cached))
        if "torch" in states:
            import torch

            torch.set_rng_state(torch.frombuffer(bytearray(states["torch"]), dtype=torch.uint8))
        self._initial = self._current()
        self._restored = True
        self._states = states

    def _current(self) -> dict[str, Any]:
        states: dict[str, Any] = {"python": random.getstate()}
        if "numpy" in self._initial or ("numpy.random" in sys.modules and self._restored_has("numpy")):
            states["numpy"] = _numpy_state(sys.modules["numpy.random"])
        if "torch" in self._initial or ("torch" in sys.modules and self._restored_has("torch")):
            states["torch"] = _torch_state(sys.modules["torch"])
        return states

    def _restored_has(self, library: str) -> bool:
        return library in getattr(self, "_states", {})

    def finish(self, outputs: str) -> tuple[str | None, bool]:
        """(entry with the states, or None when nothing was drawn; whether anything was drawn)."""
        states = self._current()
        drew = states != self._initial
        if not drew and not self._restored:
            return None, False
        with open(f"{outputs}/{ENTRY}", "wb") as stream:
            pickle.dump(states, stream, protocol=5)
        return ENTRY, drew


def _numpy_state(module: Any) -> tuple[Any, ...]:
    """Plain values, so that equal states have equal bytes."""
    name, keys, position, has_gauss, cached = module.get_state()
    return name, keys.astype("<u4").tobytes(), int(position), int(has_gauss), float(cached)


def _torch_state(module: Any) -> bytes:
    return module.get_rng_state().numpy().tobytes()

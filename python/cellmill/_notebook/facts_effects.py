"""The effect catalogue: what a call of a known library does to its receiver, its arguments and the world.

One TOML file per library in `effects/`; its format is documented in `effects/README.md`. Invariant: what the catalogue
does not know is *unknown*, never pure; only a library that says `default = "pure"` answers for names it does not list.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

UNKNOWN = "?"


@dataclass(frozen=True)
class TokenEffect:
    kind: str
    mode: str
    # Where the resource is named: a position, a keyword, or both; None for a token without a name of its own.
    position: int | None = None
    keyword: str | None = None
    # The resource named outright (`cfg:warnings`).
    value: str | None = None
    # Holds unless this keyword is given something other than None (`random_state`).
    unless: str | None = None
    # Holds only if this keyword or position is given.
    when: str | None = None


@dataclass(frozen=True)
class Effect:
    # Types of the result; empty when unknown.
    returns: tuple[str, ...] = ()
    # `receiver`, or positions of arguments that it changes.
    mutates: tuple[str | int, ...] = ()
    # Changes the receiver when `inplace=True` is passed, and then returns None.
    inplace: bool = False
    # (`same` | `view` | `maybe`, `receiver` | position)
    alias: tuple[str, str | int] | None = None
    tokens: tuple[TokenEffect, ...] = ()
    # Position of a string that names variables (`query`, `eval`, formulas).
    names: bool = False
    # An effect on the world outside: why, in words.
    world: str | None = None
    # Type of the result when no seed is passed: its methods draw from a global generator.
    unseeded: str | None = None
    # Ends the process or the cell.
    dynamic: str | None = None


@dataclass
class TypeEntry:
    name: str
    # `pure`: methods not listed change nothing.
    default: str = UNKNOWN
    methods: dict[str, Effect] = field(default_factory=dict)
    # Attribute or subscript to (types, alias).
    attributes: dict[str, tuple[tuple[str, ...], str | None]] = field(default_factory=dict)
    bases: tuple[str, ...] = ()
    mutable: bool = True
    # Why a value of it cannot be stored, or ''.
    resource: str = ""
    # Changed by reading it (iterators).
    consumed: bool = False
    # Reading an attribute may compute it and keep it.
    lazy: bool = False
    # Types of the result of methods that are not listed, where they are pure.
    returns: tuple[str, ...] = ()
    subscript: tuple[tuple[str, ...], str | None] | None = None


@dataclass
class Catalogue:
    functions: dict[str, Effect] = field(default_factory=dict)
    types: dict[str, TypeEntry] = field(default_factory=dict)
    # Module prefix to (default, effect of what is not listed).
    modules: dict[str, tuple[str, Effect]] = field(default_factory=dict)
    # Old full name to advice.
    removed: dict[str, str] = field(default_factory=dict)
    # Types of module attributes that are values (`sys.argv`).
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # Module attributes that are state: path prefix to token.
    state: dict[str, str] = field(default_factory=dict)

    def function(self, dotted: str) -> Effect | None:
        """The effect of calling `dotted`; None when nothing is known."""
        found = self.functions.get(dotted)
        if found is not None:
            return found
        module = self.module_of(dotted)
        if module is None:
            return None
        default, effect = self.modules[module]
        leaf = dotted.rpartition(".")[2]
        if default == "estimators" and leaf[:1].isupper():
            return Effect(returns=("sklearn.Estimator",), tokens=effect.tokens)
        return None if default == UNKNOWN else effect

    def module_of(self, dotted: str) -> str | None:
        prefix = dotted
        while prefix:
            if prefix in self.modules:
                return prefix
            prefix = prefix.rpartition(".")[0]
        return None

    def method(self, type_name: str, method: str) -> Effect | None:
        entry = self.types.get(type_name)
        if entry is None:
            return None
        if method in entry.methods:
            return entry.methods[method]
        inherited = [self.method(base, method) for base in entry.bases]
        known = next((effect for effect in inherited if effect is not None), None)
        if known is not None:
            return known
        return Effect(returns=entry.returns) if entry.default == "pure" else None

    def lists(self, type_name: str, method: str) -> bool:
        entry = self.types.get(type_name)
        return entry is not None and (method in entry.methods or any(self.lists(base, method) for base in entry.bases))

    def is_lazy(self, type_name: str) -> bool:
        entry = self.types.get(type_name)
        return entry is not None and (entry.lazy or any(self.is_lazy(base) for base in entry.bases))

    def part(self, type_name: str, attribute: str | None) -> tuple[tuple[str, ...], str | None] | None:
        """Types and alias kind of an attribute, or of a subscript when it is None; None when nothing is known."""
        entry = self.types.get(type_name)
        if entry is None:
            return None
        found = entry.subscript if attribute is None else entry.attributes.get(attribute)
        if found is not None:
            return found
        for base in entry.bases:
            inherited = self.part(base, attribute)
            if inherited is not None:
                return inherited
        return None

    def state_token(self, dotted: str) -> str | None:
        """`cfg:environ` for `os.environ['HOME']`: the token of a module attribute that is state."""
        prefix = dotted
        while prefix:
            if prefix in self.state:
                return self.state[prefix]
            prefix = prefix.rpartition(".")[0]
        return None

    def named_method(self, method: str) -> tuple[str, list[Effect]]:
        """What all known types say of a method of this name: `pure`, `mutates`, `mixed` or `unknown`."""
        return _named_methods(self).get(method, (UNKNOWN, []))


_named_cache: dict[int, dict[str, tuple[str, list[Effect]]]] = {}


def _named_methods(catalogue: Catalogue) -> dict[str, tuple[str, list[Effect]]]:
    cached = _named_cache.get(id(catalogue))
    if cached is not None:
        return cached
    seen: dict[str, list[Effect]] = {}
    for entry in catalogue.types.values():
        for name, effect in entry.methods.items():
            seen.setdefault(name, []).append(effect)
    result = {}
    for name, effects in seen.items():
        mutating = [bool(effect.mutates) for effect in effects]
        verdict = "mutates" if all(mutating) else "mixed" if any(mutating) else "pure"
        result[name] = (verdict, effects)
    _named_cache[id(catalogue)] = result
    return result


def _token(text: str | dict) -> TokenEffect:
    """`write cfg:pandas`, `read file 0 filepath_or_buffer`, `write rng:np unless random_state`."""
    words = str(text).split()
    mode, what, rest = words[0], words[1], words[2:]
    kind, _, value = what.partition(":")
    unless = when = keyword = None
    position = None
    while rest:
        word = rest.pop(0)
        if word == "unless":
            unless = rest.pop(0)
        elif word == "when":
            when = rest.pop(0)
        elif word.lstrip("-").isdigit():
            position = int(word)
        else:
            keyword = word
    return TokenEffect(kind, mode, position, keyword, value or None, unless, when)


def _effect(group: dict) -> Effect:
    returns = group.get("returns", [])
    alias = group.get("alias")
    mutates = group.get("mutates", [])
    return Effect(
        returns=tuple(_words(returns)),
        mutates=tuple([mutates] if isinstance(mutates, str) else mutates),
        inplace=bool(group.get("inplace", False)),
        alias=None if alias is None else (alias, group.get("of", "receiver")),
        tokens=tuple(_token(text) for text in group.get("tokens", [])),
        names=bool(group.get("names_are_variables", False)),
        world=group.get("world"),
        unseeded=group.get("unseeded"),
        dynamic=group.get("dynamic"),
    )


def _words(value: str | list[str]) -> list[str]:
    return value.split() if isinstance(value, str) else list(value)


def _add_library(catalogue: Catalogue, library: dict) -> None:
    for module in library.get("module", []):
        for name in _words(module["name"]):
            catalogue.modules[name] = (module.get("default", UNKNOWN), _effect(module))
    for group in library.get("function", []):
        effect = _effect(group)
        prefix = group.get("in", "")
        for place in _words(prefix) or [""]:
            for name in _words(group["names"]):
                catalogue.functions[f"{place}.{name}" if place else name] = effect
    for group in library.get("type", []):
        for name in _words(group["name"]):
            entry = catalogue.types.setdefault(name, TypeEntry(name))
            entry.default = group.get("default", entry.default)
            entry.bases = tuple(_words(group.get("bases", []))) or entry.bases
            entry.mutable = group.get("mutable", entry.mutable)
            entry.resource = group.get("resource", entry.resource)
            entry.consumed = group.get("consumed", entry.consumed)
            entry.lazy = group.get("lazy", entry.lazy)
            entry.returns = tuple(_words(group.get("returns", []))) or entry.returns
    for group in library.get("method", []):
        effect = _effect(group)
        for type_name in _words(group["of_type"]):
            entry = catalogue.types.setdefault(type_name, TypeEntry(type_name))
            for name in _words(group["names"]):
                entry.methods[name] = effect
    for group in library.get("attribute", []):
        returns = tuple(_words(group.get("returns", [])))
        for type_name in _words(group["of_type"]):
            entry = catalogue.types.setdefault(type_name, TypeEntry(type_name))
            for name in _words(group["names"]):
                if name == "[]":
                    entry.subscript = (returns, group.get("alias"))
                else:
                    entry.attributes[name] = (returns, group.get("alias"))
    for group in library.get("value", []):
        for name in _words(group["names"]):
            catalogue.values[name] = tuple(_words(group["returns"]))
    catalogue.state.update(library.get("state", {}))
    catalogue.removed.update(library.get("removed", {}))


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    catalogue = Catalogue()
    for path in sorted((Path(__file__).parent / "effects").glob("*.toml")):
        with path.open("rb") as file:
            _add_library(catalogue, tomllib.load(file))
    return catalogue

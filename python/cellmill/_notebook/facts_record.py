"""What the walk over one statement, or one function body, writes down.

Invariant: the dictionaries made here have exactly the keys of `notebook/ir.ts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_ITEMS = 5_000


@dataclass
class Record:
    reads: list[dict] = field(default_factory=list)
    mutations: list[dict] = field(default_factory=list)
    aliases: list[dict] = field(default_factory=list)
    calls: list[dict] = field(default_factory=list)
    tokens: list[dict] = field(default_factory=list)
    imports: list[dict] = field(default_factory=list)
    definitions: list[dict] = field(default_factory=list)
    literals: list[dict] = field(default_factory=list)
    outdated: list[dict] = field(default_factory=list)
    habits: list[dict] = field(default_factory=list)
    dynamic: list[str] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)
    # Set when a list was cut: the facts are then not complete.
    cut: bool = False

    def add(self, items: list, item: object) -> None:
        if len(items) >= MAX_ITEMS:
            self.cut = True
            return
        items.append(item)

    def read(self, name: str, path: list[str], span: dict) -> None:
        self.add(self.reads, {"name": name, "path": path, "span": span})

    def mutate(self, name: str, path: list[str], span: dict, how: str, certain: bool) -> None:
        for known in self.mutations:
            if known["name"] == name and known["path"] == path and known["how"] == how:
                known["certain"] = known["certain"] or certain
                return
        self.add(self.mutations, {"name": name, "path": path, "span": span, "how": how, "certain": certain})

    def alias(self, target: str, source: str, kind: str) -> None:
        item = {"target": target, "source": source, "kind": kind}
        if item not in self.aliases:
            self.add(self.aliases, item)

    def token(self, token: str, mode: str, why: str, span: dict) -> None:
        if not any(known["token"] == token and known["mode"] == mode and known["why"] == why for known in self.tokens):
            self.add(self.tokens, {"token": token, "mode": mode, "why": why, "span": span})

    def outdate(self, name: str, advice: str, span: dict) -> None:
        if not any(known["name"] == name for known in self.outdated):
            self.add(self.outdated, {"name": name, "advice": advice, "span": span})

    def habit(self, kind: str, span: dict) -> None:
        self.add(self.habits, {"kind": kind, "span": span})

    def bind(self, name: str) -> None:
        if name in self.bound:
            self.bound.remove(name)
        self.bound.append(name)

    def note(self, dynamic: str) -> None:
        if dynamic not in self.dynamic:
            self.dynamic.append(dynamic)

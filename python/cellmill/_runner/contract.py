"""A step that does not do what it declares. Carries what to type; never a fault of the author's libraries."""

from __future__ import annotations


class ContractError(Exception):
    def __init__(self, message: str, hint: str | None = None, kind: str = "contract") -> None:
        super().__init__(message)
        self.hint = hint
        self.kind = kind

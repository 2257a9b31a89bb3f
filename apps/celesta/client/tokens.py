"""Tokens of the workspace, for admins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from celesta.client.parts import Json, Part


class Tokens(Part):
    """``client.tokens``."""

    def list(self, **filters: Any) -> Iterator[Json]:
        """Tokens, newest first, without their secrets."""
        return self._rows("tokens/", filters)

    def get(self, token: int) -> Json:
        """One token, without its secret."""
        return self._get(f"tokens/{token}/")

    def create(
        self, name: str, role: str = "operator", *, scopes: Sequence[str] = (),
        workflows: Sequence[str] = (), expires_at: str | None = None,
    ) -> Json:  # fmt: skip
        """A new token; its ``secret`` is in this answer and nowhere else."""
        wanted = {
            "name": name, "role": role, "scopes": [*scopes], "workflows": [*workflows],
            "expires_at": expires_at,
        }  # fmt: skip
        return self._post("tokens/", wanted)

    def rotate(self, token: int, overlap: int = 3600) -> Json:
        """The only successor of a token of one's own, which works for ``overlap`` seconds more."""
        return self._post(f"tokens/{token}/rotate/", {"overlap": overlap})

    def delete(self, token: int) -> None:
        """Delete a token: it answers 401 from now on."""
        self._transport.call("DELETE", f"tokens/{token}/")

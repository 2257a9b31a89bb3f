"""Runs: start, follow, and what operators do to them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from celesta.client.errors import CelestaError
from celesta.client.parts import Json, Part
from celesta.client.parts import part_of_path as part
from celesta.client.streaming import Message, NotStreamed, messages

FINAL: Final = frozenset({"succeeded", "failed", "cancelled"})
#: Seconds for which the server holds an answer back.
POLL: Final = 20.0
#: Seconds for which the event of a run's end is waited for when the run has ended.
LAST_EVENT: Final = 10.0


class RunRefused(CelestaError):
    """The run has ended otherwise than well; ``run`` is how it ended."""

    def __init__(self, run: Json) -> None:
        self.run = run
        super().__init__(f"run {run['id']} is {run['state']}", code=f"run_{run['state']}")


class Runs(Part):
    """``client.runs``."""

    def start(
        self, workflow: str, params: Json | None = None, *, version: int | None = None,
        key: str | None = None,
    ) -> Json:  # fmt: skip
        """Start a run. With ``key`` a second start is the same run; without, each call is a run.

        Either way it is safe against lost answers: a key is made when none is given.
        """
        body = {"params": params or {}, "version": version}
        return self._post(f"workflows/{part(workflow)}/runs/", body, key=key or str(uuid4()))

    def start_many(
        self, workflow: str, runs: Sequence[Json], *, version: int | None = None,
        atomic: bool = False,
    ) -> Json:  # fmt: skip
        """Start up to 1,000 runs: ``{"params": {...}, "idempotency_key": "..."}`` each.

        ``{results, created, replayed, refused}``; a run without a key gets one, so that the call
        can be repeated.
        """
        keyed = [{"idempotency_key": str(uuid4()), **run} for run in runs]
        # Every run has a key of its own; the one of the header only allows the call to be repeated.
        body = {"runs": keyed, "version": version, "atomic": atomic}
        return self._post(f"workflows/{part(workflow)}/runs/bulk/", body, key=str(uuid4()))

    def list(self, **filters: Any) -> Iterator[Json]:
        """Runs, newest first; filters are those of the API: ``state``, ``workflow``, ``q``, ..."""
        return self._rows("runs/", filters)

    def get(self, run: str) -> Json:
        """One run; its id may be shortened as long as it means one."""
        if len(run) >= len(str(uuid4())):
            return self._get(f"runs/{part(run)}/")
        found = self._get("runs/", id=run, limit=2, fields="id")["results"]
        if len(found) != 1:
            told = "No run" if not found else "More than one run"
            raise CelestaError(f"{told} has an id that begins with {run!r}.", code="run_not_found")
        return self._get(f"runs/{found[0]['id']}/")

    def wait(self, run: str, timeout: float | None = None, *, check: bool = False) -> Json:
        """The run when it has ended, or as it is after ``timeout`` seconds.

        With ``check`` raises RunRefused when it failed or was cancelled.
        """
        ends = None if timeout is None else time.monotonic() + timeout
        while True:
            left = POLL if ends is None else min(POLL, max(0.0, ends - time.monotonic()))
            answer = self._transport.call(
                "GET", f"runs/{part(run)}/await/", query={"timeout": round(left, 2)}, waits=left
            )
            body: Json = answer.json()
            if body["state"] in FINAL or (ends is not None and time.monotonic() >= ends):
                break
        if check and body["state"] in FINAL - {"succeeded"}:
            raise RunRefused(body)
        return body

    def events(self, run: str, after: int = 0) -> Iterator[Json]:
        """The history so far, in order."""
        return self._rows(f"runs/{part(run)}/events/", {"after": after})

    def follow(self, run: str, after: str = "") -> Iterator[Message]:
        """Events, log lines and in the end ``end``, as they come, over one stream.

        Nothing is missed and nothing comes twice, also when the connection is lost: ``after`` is
        the id of the last message seen. Raises NotStreamed when the server has no streams.
        """
        return messages(self._transport, f"runs/{part(run)}/stream/", after)

    def watch(self, run: str, pause: float = 1.0) -> Iterator[Json]:
        """Events as they come, until the run has ended; none is missed.

        They come over a stream; where there are none they are asked for every ``pause`` seconds.
        """
        try:
            for message in self.follow(run):
                if message.event == "event":
                    yield message.data
        except NotStreamed:
            yield from self._polled(run, pause)

    def _polled(self, run: str, pause: float) -> Iterator[Json]:
        last, ended_at = 0, 0.0
        while True:
            # The state before the events: then those of the end are among them.
            state = self.wait(run, pause)["state"]
            for event in self.events(run, last):
                last = event["id"]
                yield event
                if event["kind"].removeprefix("run_") in FINAL and event["node"] is None:
                    return
            if state in FINAL:
                # The API holds young events back for some seconds, so the last may be to come.
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > LAST_EVENT:
                    return
                time.sleep(min(pause, 0.5))

    def cancel(self, run: str, reason: str = "") -> Json:
        """Cancel; results of nodes that are still at work will be refused."""
        return self._post(f"runs/{part(run)}/cancel/", {"reason": reason})

    def pause(self, run: str, reason: str = "") -> Json:
        """Pause: what runs goes on to its end, nothing else begins."""
        return self._post(f"runs/{part(run)}/pause/", {"reason": reason})

    def resume(self, run: str) -> Json:
        """Let a paused run go on."""
        return self._post(f"runs/{part(run)}/resume/")

    def rerun(self, run: str, *, mode: str = "failed", key: str | None = None, **more: Any) -> Json:
        """A new run that keeps what need not run again: ``mode`` is failed, nodes or all."""
        return self._post(
            f"runs/{part(run)}/rerun/", {"mode": mode, **more}, key=key or str(uuid4())
        )

    def rerun_preview(self, run: str, *, mode: str = "failed", **more: Any) -> Json:
        """What `rerun` would run (``again``) and what it would keep (``kept``)."""
        return self._post(f"runs/{part(run)}/rerun/preview/", {"mode": mode, **more})

    def many(self, verb: str, where: Json, **more: Any) -> Iterator[Json]:
        """``cancel``, ``pause``, ``resume`` or ``rerun`` all runs that match; outcome by outcome.

        ``where`` is the API's filter: ``{"workflow": "orders.fulfil", "state": ["running"]}``.
        """
        return self._many("runs/bulk/", verb, where, **more)

    def count(self, where: Json) -> Json:
        """``{count, more}``: how many runs a verb for many would be done to."""
        return self._post("runs/bulk/", {"verb": "cancel", "filter": where, "dry_run": True})

    def nodes(self, run: str, **filters: Any) -> Iterator[Json]:
        """Node runs with their states; ``state`` filters."""
        return self._rows(f"runs/{part(run)}/nodes/", filters)

    def node(self, run: str, node: str, scope: int = 0) -> Json:
        """One node run with its output."""
        return self._get(f"runs/{part(run)}/nodes/{part(node)}/", scope=scope)

    def logs(self, run: str, **filters: Any) -> Iterator[Json]:
        """What the nodes logged and printed so far; ``level`` and ``after`` filter."""
        return self._rows(f"runs/{part(run)}/logs/", filters)

    def why(self, run: str, node: str, scope: int = 0) -> Json:
        """Why a node is not running, the cause to look at first first."""
        return self._get(f"runs/{part(run)}/nodes/{part(node)}/why/", scope=scope)

    def skip(self, run: str, node: str, *, scope: int = 0, reason: str = "") -> Json:
        """Go on without a node that is ready or waits."""
        path = f"runs/{part(run)}/nodes/{part(node)}/skip/"
        answer = self._transport.call("POST", path, query={"scope": scope}, json={"reason": reason})
        body: Json = answer.json()
        return body

    def artifacts(self, run: str) -> Iterator[Json]:
        """The files that nodes saved."""
        return self._rows(f"runs/{part(run)}/artifacts/", {})

    def download(self, run: str, artifact: int, to: str | Path) -> Path:
        """Save a file; nothing is left at ``to`` when it breaks off."""
        target = Path(to)
        partial = target.with_name(target.name + ".partial")
        try:
            with partial.open("wb") as file:
                for piece in self._transport.download(
                    f"runs/{part(run)}/artifacts/{artifact}/content/"
                ):
                    file.write(piece)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return target

    def delete_artifact(self, run: str, artifact: int) -> None:
        """Delete a file for good."""
        self._transport.call("DELETE", f"runs/{part(run)}/artifacts/{artifact}/")

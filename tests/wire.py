"""Messages as the broker saw them."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any
from uuid import uuid4

from redis import Redis


class Tap:
    """Every message pushed to some queues, read off the wire by the server's own MONITOR."""

    def __init__(self, url: str, queues: list[str]) -> None:
        self.queues = queues
        self.end = f"no-such-key-{uuid4().hex}"  # every tap on the server hears it
        self.client = Redis.from_url(url, socket_timeout=None)  # silence is no fault here
        self.messages: list[dict[str, Any]] = []
        self.listening = threading.Event()
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        assert self.listening.wait(60)

    def _listen(self) -> None:
        with self.client.monitor() as monitor:  # type: ignore[no-untyped-call]
            self.listening.set()
            for said in monitor.listen():
                command, _, rest = said["command"].partition(" ")
                if command.upper() == "LPUSH":
                    self._take(rest)
                elif said["command"].endswith(self.end):
                    return

    def _take(self, rest: str) -> None:
        queue, _, message = rest.partition(" ")
        if queue.split(r"\x06")[0] not in self.queues:
            return
        envelope = json.loads(message)
        body = base64.b64decode(envelope["body"])
        _, kwargs, embed = json.loads(body)
        self.messages.append(
            {
                "headers": envelope["headers"],
                "kwargs": kwargs,
                "embed": embed,
                "size": len(message),
                "type": envelope["content-type"],
            }
        )

    def read(self) -> list[dict[str, Any]]:
        """Everything sent so far: ``{"headers", "kwargs", "embed", "size", "type"}`` a message."""
        self.client.get(self.end)  # seen by the listener after all that went before
        self.thread.join(60)
        return self.messages

"""One line for a project's ``asgi.py``: ``application = with_sockets(get_asgi_application())``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Application = Callable[..., Awaitable[None]]


def with_sockets(application: Application) -> Application:
    """The project's application, with Celesta's WebSockets; all else goes where it went before.

    A WebSocket to an address that is not Celesta's is handed on as well, so this may stand around
    a router of the project's own, or within it. Django itself knows none: then it is refused.
    """
    # Not above: Django is ready only when the project has made its application.
    from django.core.handlers.asgi import ASGIHandler

    from celesta.api.streams.sockets import serve

    async def routed(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            if await serve(application, scope, receive, send):
                return
            if isinstance(application, ASGIHandler):
                await receive()  # websocket.connect; to close before accepting is a 403
                await send({"type": "websocket.close"})
                return
        await application(scope, receive, send)

    return routed

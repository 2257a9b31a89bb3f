"""A health check from inside a container: `python -m project.probe /health/live`.

It asks the web server of this very container, under the name and scheme that users reach it by:
another name would be refused as a foreign host, another scheme sent elsewhere.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

TIMEOUT = 3  # seconds


def main(path: str) -> int:
    """Return 0 if the answer is a 200, else 1 with the answer printed."""
    public = urlsplit(os.environ.get("PUBLIC_URL", "http://localhost:8000"))
    port = int(os.environ.get("WEB_PORT", "8000"))
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    headers = {"Host": public.netloc, "X-Forwarded-Proto": public.scheme}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        if answer.status == 200:
            return 0
        print(answer.status, answer.read(1000).decode(errors="replace"))
    except (OSError, HTTPException) as error:
        print(error)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["/health/live"]))

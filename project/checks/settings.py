"""Settings for tools that read the code and start nothing: type checker, system checks, schema."""

import os

os.environ.setdefault("SECRET_KEY", "no secret: this process reads the code and answers nobody")
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
os.environ.setdefault("BROKER_URL", "redis://127.0.0.1:1/0")
os.environ.setdefault("PUBLIC_URL", "https://celesta.example")

from project.settings import *  # noqa: F403

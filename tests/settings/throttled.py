"""The reference project with a low limit of calls."""

import os

from project.settings import *  # noqa: F403
from project.settings import CELESTA

CELESTA["THROTTLE_TOKEN"] = int(os.environ["CELESTA_TEST_THROTTLE"])

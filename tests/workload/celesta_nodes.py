"""OK, FAIL, SLEEP, KILL, HANG and worse, as node functions. Each run of a body leaves a line."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from celery import shared_task
from celery.utils.log import get_task_logger

import celesta
from celesta_worker.context import NodeContext


def _mark(context: NodeContext, log: str) -> None:
    """Leave a trace that outlives the process: one line for each run of a body."""
    if log:
        line = f"{context.idempotency_key} {context.attempt} {os.getpid()}\n"
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, line.encode())
        os.close(descriptor)


@celesta.node("test.ok")
def ok(context: NodeContext, log: str = "", value: Any = None) -> Any:
    """Succeed with the given value."""
    _mark(context, log)
    return value


@celesta.node("test.range")
def numbers(count: int) -> list[int]:
    """So many numbers, for a map to go through."""
    return list(range(count))


@celesta.node("test.sleep")
def sleep(context: NodeContext, seconds: float, log: str = "") -> float:
    """Sleep, then succeed."""
    _mark(context, log)
    time.sleep(seconds)
    return seconds


@celesta.node("test.asleep")
async def asleep(context: NodeContext, seconds: float, log: str = "") -> float:
    """Sleep without holding the slot."""
    _mark(context, log)
    await asyncio.sleep(seconds)
    return seconds


@celesta.node("test.fail")
def fail(context: NodeContext, times: int = 1000, log: str = "") -> str:
    """Raise on the first so many attempts."""
    _mark(context, log)
    if context.attempt <= times:
        raise RuntimeError(f"told to fail on attempt {context.attempt}")
    return "recovered"


@celesta.node("test.dies_first")
def dies_first(context: NodeContext, log: str = "") -> str:
    """Lose the process on the first attempt, after the effect."""
    _mark(context, log)
    if context.attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@celesta.node("test.span")
def span(context: NodeContext, seconds: float, log: str, fails: bool = False) -> int:
    """Leave a line when it begins and one when it ends; fail at first when told to."""
    line = f"{os.getpid()} {context.idempotency_key} {context.attempt}"
    for mark in ("begin", "end"):
        with Path(log).open("a", buffering=1) as file:
            file.write(f"{time.monotonic()} {mark} {line}\n")
        time.sleep(seconds if mark == "begin" else 0)
    if fails and context.attempt == 1:
        raise RuntimeError("told to fail at first")
    return context.attempt


@celesta.node("test.aspan")
async def aspan(context: NodeContext, seconds: float, log: str) -> int:
    """As ``test.span``, without holding the slot."""
    for mark in ("begin", "end"):
        with Path(log).open("a", buffering=1) as file:  # noqa: ASYNC230 - a line in a local file
            file.write(f"{time.monotonic()} {mark} {os.getpid()} {context.idempotency_key} 1\n")
        await asyncio.sleep(seconds if mark == "begin" else 0)
    return context.attempt


@celesta.node("test.gate")
def gate(context: NodeContext, path: str, log: str = "") -> str:
    """Wait until a file exists: the test decides when."""
    _mark(context, log)
    while not Path(path).exists():
        time.sleep(0.02)
    return "opened"


@celesta.node("test.needs")
def needs(context: NodeContext, path: str, log: str = "") -> str:
    """Fail unless a file exists: the test repairs what is missing."""
    _mark(context, log)
    if not Path(path).exists():
        raise FileNotFoundError(path)
    return "found"


@celesta.node("test.poison")
def poison(context: NodeContext, how: str, log: str = "") -> str:
    """End or block the process in one of the ways in which node code can."""
    _mark(context, log)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "segfault":
        ctypes.string_at(0)
    if how == "exit":
        os._exit(3)
    if how == "sys.exit":
        sys.exit(3)
    if how == "loop":
        while True:
            pass
    if how == "swallow":
        while True:
            with suppress(BaseException):
                time.sleep(60)
    if how == "blocked":
        # In C, with the interpreter's lock held: no Python signal handler can run.
        ctypes.PyDLL(None).sleep(600)
    return "survived"


@celesta.node("test.hog")
def hog(context: NodeContext, seconds: int, log: str = "") -> str:
    """Hold the interpreter's lock, in C, for so many whole seconds."""
    _mark(context, log)
    ctypes.PyDLL(None).sleep(seconds)
    return "let go"


@celesta.node("test.grow")
def grow(context: NodeContext, log: str = "") -> str:
    """Take memory until something ends it."""
    _mark(context, log)
    grown = []
    while True:
        grown.append(bytes(2**20) + b"x")  # written to, so it is really taken
        time.sleep(0.002)


@celesta.node("test.memory")
def memory(context: NodeContext, log: str = "") -> str:
    """Ask for more than the process may have (`ulimit -v`); what comes after it may have more."""
    _mark(context, log)
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (taken + 64 * 2**20, before[1]))
    try:
        return f"{len(bytearray(256 * 2**20))} bytes"
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@celesta.node("test.result")
def result(kind: str) -> Any:
    """Return something that cannot be stored."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    return {
        "nul": "a\x00b",
        "nan": float("nan"),
        "object": object(),
        "deep": deep,
        "huge": "x" * (100 * 1024 * 1024) if kind == "huge" else "",
        "bytes": b"\xff",
    }[kind]


@celesta.node("test.speak")
def speak(context: NodeContext, path: str = "", log: str = "") -> str:
    """Log and print in every way; with a path, go on once that file exists."""
    _mark(context, log)
    logging.getLogger("shop.orders").info("logged %s", context.node)
    logging.getLogger("shop.orders").debug("too low to be kept")
    context.logger.warning("by the context")
    print("printed", context.node)
    print("to stderr", file=sys.stderr)
    print("nul \x00 and surrogate \udcff")
    try:
        int("bad order")
    except ValueError:
        logging.getLogger("shop.orders").exception("it went wrong")
    while path and not Path(path).exists():
        time.sleep(0.02)
    print("no line break", end="")
    return "spoken"


@celesta.node("test.aspeak")
async def aspeak(context: NodeContext, seconds: float, log: str = "") -> str:
    """Speak before and after a pause in which others speak."""
    print("before", context.node)
    await asyncio.sleep(seconds)
    logging.getLogger("shop.orders").info("after %s", context.node)
    await asyncio.to_thread(print, "in a thread of", context.node)
    return "spoken"


@celesta.node("test.chatter")
def chatter(context: NodeContext, lines: int, width: int, log: str = "") -> str:
    """Print so many lines of so many characters."""
    _mark(context, log)
    for number in range(lines):
        print(f"{number} ".ljust(width, "x"))
    return "spoken"


@celesta.node("test.last_words")
def last_words(context: NodeContext, pause: float, log: str = "") -> str:
    """Say something, wait, say something else, and kill the process; the next attempt returns."""
    _mark(context, log)
    if context.attempt == 1:
        print("long before the end")
        time.sleep(pause)
        print("just before the end")
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


@shared_task(name="test.shared_mark")
def shared_mark(log: str, key: str) -> None:
    """A task as a team has them, which leaves a trace."""
    with Path(log).open("a") as trace:
        trace.write(f"{key}\n")


@shared_task(name="test.shared_speaker")
def shared_speaker() -> str:
    """A task as a team has them."""
    get_task_logger("billing").info("charged")
    print("printed by a task")
    return "charged"

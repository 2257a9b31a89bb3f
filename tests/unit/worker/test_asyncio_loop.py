from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

import pytest

from celesta_worker import asyncio_loop
from celesta_worker.interrupts import NodeInterrupted


async def _answer() -> int:
    await asyncio.sleep(0)
    return 42


def test_a_coroutine_gives_its_result_to_another_thread() -> None:
    assert asyncio_loop.wait_for(_answer()) == 42


def test_all_coroutines_of_a_process_share_one_loop() -> None:
    async def loop() -> int:
        return id(asyncio.get_running_loop())

    assert asyncio_loop.wait_for(loop()) == asyncio_loop.wait_for(loop())


def test_sys_exit_in_a_coroutine_does_not_stop_the_loop() -> None:
    async def leave() -> None:
        background = asyncio.get_running_loop().create_task(leave_in_background())
        await asyncio.wait([background], timeout=60)
        assert background.exception() is not None  # also: asyncio warns of one nobody has seen
        sys.exit(3)

    async def leave_in_background() -> None:
        sys.exit(4)

    with pytest.raises(SystemExit):
        asyncio_loop.wait_for(leave())
    assert asyncio_loop.wait_for(_answer()) == 42


def test_an_interruption_cancels_the_coroutine_and_waits_for_its_end() -> None:
    cleaned = threading.Event()

    async def body() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)
            cleaned.set()

    def interrupt(*_: object) -> None:
        raise NodeInterrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(NodeInterrupted):
            asyncio_loop.wait_for(body())
    finally:
        signal.signal(signal.SIGALRM, before)
    assert cleaned.is_set()


def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    asyncio_loop.wait_for(_answer())
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os.write(writer, str(asyncio_loop.wait_for(_answer())).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"42"

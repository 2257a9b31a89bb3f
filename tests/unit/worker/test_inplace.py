"""A registered Celery task as a node: what Celery's words mean, they mean here too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery, Task, chain, group, signals, states
from celery.exceptions import Ignore, Reject

from celesta.runs.outcomes import Failed, Foreign, Outcome, RetryLater, Skipped, Succeeded
from celesta_worker.inplace import run_in_place
from tests.contracts.nodes.harness import a_context

app = Celery("tests.inplace", broker="memory://", backend="cache+memory://", set_as_current=False)


@app.task(name="plain")
def plain(amount: int, currency: str = "EUR") -> list[Any]:
    return [amount, currency]


@app.task(name="bound", bind=True)
def bound(self: Task[..., Any]) -> dict[str, Any]:
    request = self.request
    return {
        "id": request.id,
        "retries": request.retries,
        "called_directly": request.called_directly,
    }


@app.task(name="retrying", bind=True, max_retries=2)
def retrying(self: Task[..., Any], /, **options: Any) -> str:
    raise self.retry(**options)


@app.task(name="forgiving", bind=True)
def forgiving(self: Task[..., Any]) -> str:
    self.retry(countdown=4, throw=False)
    return "done, or so it says"


@app.task(name="auto", autoretry_for=(OSError,), retry_backoff=8, retry_jitter=False, max_retries=3)
def auto(fault: str) -> None:
    raise {"os": OSError, "key": KeyError}[fault](fault)


@app.task(name="raising", bind=True)
def raising(self: Task[..., Any], what: str) -> None:
    raise {
        "ignore": Ignore("nothing to do"),
        "reject": Reject("bad", requeue=False),
        "requeue": Reject("busy", requeue=True),
        "exit": SystemExit(3),
        "value": ValueError("no"),
    }[what]


@app.task(name="replacing", bind=True)
def replacing(self: Task[..., Any], how: str) -> Any:
    return self.replace(
        {
            "plain": plain.s(7, currency="CHF"),
            "retrying": retrying.s(countdown=5),
            "itself": replacing.s("itself"),
            "elsewhere": app.signature("not.here", args=(1,), queue="far"),
            "chain": chain(plain.s(1), plain.s()),
            "group": group(plain.s(1), plain.s(2)),
            "later": plain.s(1).set(countdown=60),
        }[how]
    )


class Recording(Task[..., Any]):
    seen: list[str] = []

    def on_failure(self, *_: Any, **__: Any) -> None:
        self.seen.append("on_failure")

    def on_retry(self, *_: Any, **__: Any) -> None:
        self.seen.append("on_retry")

    def on_success(self, *_: Any, **__: Any) -> None:
        self.seen.append("on_success")

    def before_start(self, *_: Any, **__: Any) -> None:
        self.seen.append("before_start")


@app.task(name="recorded", base=Recording, bind=True, store_errors_even_if_ignored=True)
def recorded(self: Task[..., Any], what: str) -> None:
    if what == "retry":
        raise self.retry(countdown=1)
    if what == "fail":
        raise ValueError("no")


@pytest.fixture
def published() -> Iterator[list[Any]]:
    """The names of the tasks that were published as messages meanwhile."""
    seen: list[Any] = []

    def note(sender: Any = None, **_: Any) -> None:
        seen.append(sender)

    signals.before_task_publish.connect(note, weak=False)
    yield seen
    signals.before_task_publish.disconnect(note)


def run(name: str, *args: Any, attempt: int = 1, losses: int = 0, **kwargs: Any) -> Outcome:
    sent = Foreign(name, args, kwargs, timeout=60)
    context = a_context(attempt=attempt, losses=losses)
    return run_in_place(app, sent, list(args), kwargs, context)


def test_a_task_runs_and_its_result_is_the_output() -> None:
    assert run("plain", 5, currency="USD") == Succeeded([5, "USD"])


def test_a_bound_task_sees_the_idempotency_key_as_its_id_and_the_attempt_as_retries() -> None:
    assert run("bound", attempt=3) == Succeeded(
        {"id": "run-1:it", "retries": 2, "called_directly": False}
    )


def test_retry_asks_to_be_tried_again_and_publishes_nothing(published: list[Any]) -> None:
    outcome = run("retrying", countdown=30)

    assert isinstance(outcome, RetryLater)
    assert outcome.delay == 30
    assert outcome.own_limit, "max_retries of the task decides, not the node's retry policy"
    assert published == []


@pytest.mark.parametrize("zoned", [True, False])
def test_retry_at_a_moment_becomes_the_seconds_until_then(zoned: bool) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=5)
    outcome = run("retrying", eta=moment if zoned else moment.replace(tzinfo=None))

    assert isinstance(outcome, RetryLater)
    assert 290 < outcome.delay <= 300


def test_retry_without_a_delay_takes_the_default_of_the_task() -> None:
    outcome = run("retrying")
    assert isinstance(outcome, RetryLater)
    assert outcome.delay == retrying.default_retry_delay


def test_a_lost_attempt_is_no_retry() -> None:
    outcome = run("bound", attempt=3, losses=2)
    assert isinstance(outcome, Succeeded)
    assert outcome.output["retries"] == 0


def test_after_max_retries_the_task_has_failed_for_good() -> None:
    outcome = run("retrying", attempt=3)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("max_retries_exceeded", False)


def test_retry_without_throw_is_not_lost() -> None:
    outcome = run("forgiving")
    assert isinstance(outcome, RetryLater)
    assert outcome.delay == 4


def test_a_retry_with_other_arguments_is_refused_since_they_would_be_lost() -> None:
    outcome = run("retrying", kwargs={"countdown": 1})
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("retry_changes_arguments", False)


def test_autoretry_backs_off_by_the_attempt_and_only_for_its_exceptions() -> None:
    outcomes = [run("auto", "os", attempt=attempt) for attempt in (1, 2, 3)]
    assert [o.delay for o in outcomes if isinstance(o, RetryLater)] == [8, 16, 32]

    outcome = run("auto", "key")
    assert isinstance(outcome, Failed)
    assert outcome.details["type"] == "KeyError"


def test_autoretry_ends_with_the_tasks_own_exception() -> None:
    outcome = run("auto", "os", attempt=4)
    assert isinstance(outcome, Failed)
    assert outcome.details["type"] == "OSError"


def test_ignore_skips_the_node() -> None:
    assert run("raising", "ignore") == Skipped("the task raised Ignore: nothing to do")


def test_reject_fails_for_good_and_requeue_tries_again() -> None:
    rejected, requeued = run("raising", "reject"), run("raising", "requeue")
    assert isinstance(rejected, Failed)
    assert (rejected.code, rejected.retryable) == ("task_rejected", False)
    assert isinstance(requeued, RetryLater)


def test_an_exception_keeps_its_traceback_and_leaves_celerys_frames_out() -> None:
    outcome = run("raising", "value")
    assert isinstance(outcome, Failed)
    assert outcome.retryable
    assert "in raising" in outcome.details["traceback"]
    assert "trace.py" not in outcome.details["traceback"]


def test_sys_exit_leaves_no_task_on_celerys_stack() -> None:
    with pytest.raises(SystemExit):
        run("raising", "exit")
    assert raising.request_stack.top is None


def test_arguments_that_do_not_fit_are_not_retried() -> None:
    outcome = run("plain", 1, "EUR", "too much")
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("invalid_args", False)


def test_a_plain_replacement_runs_in_the_same_place(published: list[Any]) -> None:
    assert run("replacing", "plain") == Succeeded([7, "CHF"])
    retried = run("replacing", "retrying")
    assert isinstance(retried, RetryLater)
    assert retried.delay == 5
    assert published == []


def test_a_replacement_that_is_not_registered_here_is_sent() -> None:
    assert run("replacing", "elsewhere") == Foreign("not.here", (1,), {}, queue="far", timeout=60)


def test_replacing_without_end_fails() -> None:
    outcome = run("replacing", "itself")
    assert isinstance(outcome, Failed)
    assert outcome.code == "replaced_too_often"


@pytest.mark.parametrize("how", ["chain", "group", "later"])
def test_what_needs_messages_cannot_replace_in_place(how: str, published: list[Any]) -> None:
    outcome = run("replacing", how)
    assert isinstance(outcome, Failed)
    assert (outcome.code, outcome.retryable) == ("replaced_by_canvas", False)
    assert published == []


@pytest.mark.parametrize(
    ("what", "seen"),
    [
        ("succeed", ["before_start", "on_success"]),
        ("retry", ["before_start", "on_retry"]),
        ("fail", ["before_start", "on_failure"]),
    ],
)
def test_handlers_of_a_custom_task_class_are_called(what: str, seen: list[str]) -> None:
    Recording.seen.clear()
    run("recorded", what)
    assert Recording.seen == seen


def test_the_signals_around_a_task_are_sent() -> None:
    seen: list[tuple[str, Any]] = []

    def before(task_id: str = "", **_: Any) -> None:
        seen.append(("prerun", task_id))

    def after(state: str = "", **_: Any) -> None:
        seen.append(("postrun", state))

    signals.task_prerun.connect(before)
    signals.task_postrun.connect(after)
    try:
        run("plain", 1)
    finally:
        signals.task_prerun.disconnect(before)
        signals.task_postrun.disconnect(after)
    assert seen == [("prerun", "run-1:it"), ("postrun", states.SUCCESS)]


@pytest.mark.parametrize("what", ["succeed", "retry", "fail"])
def test_the_result_backend_is_not_written_to(what: str) -> None:
    stored: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.backend, "store_result", lambda *a, **_: stored.append(a))
        run("recorded", what)
    assert stored == []


def test_outside_a_node_the_same_task_object_is_what_it_was(published: list[Any]) -> None:
    # Given a task that has run in place
    run("replacing", "plain")
    run("retrying", countdown=1)

    # When it is called as Celery does
    result = replacing.apply(args=("plain",))

    # Then it replaces and retries by Celery's own means
    assert result.get() == [7, "CHF"]
    assert retrying.apply(kwargs={"countdown": 0}).state == states.FAILURE
    retrying.delay()
    assert published == ["retrying"]

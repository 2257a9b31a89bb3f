"""What every template is given in the test, how its run ends, and with which output.

Texts that begin with ``@`` are addresses in the town (``@/posts``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True)
class Case:
    """One run of a template; ``output`` holds what is expected of the run's output."""

    template: str
    params: dict[str, Any] = field(default_factory=dict)
    output: Any = None
    state: str = "succeeded"
    #: Calls that the run must have made: (method, path).
    calls: tuple[tuple[str, str], ...] = ()


HOOK: Final = "@/hook"
NOW_FAST: Final = {"pause": "50ms"}

CASES: Final = [
    Case(
        "elt-paged-api",
        {"source_url": "@/posts", "pages": [1, 2, 3], "page_size": 2, "load_url": "@/load"},
        {"rows": 6, "first": {"id": 0, "author": 0, "title": "t0"}},
        calls=(("POST", "/load"),),
    ),
    Case(
        "backfill-partitions",
        {"source_url": "@/days"},
        {
            "verdict": "gaps",
            "filled": 2,
            "start_again_with": {
                "workflow": "templates.backfill_partitions",
                "params": {"days": ["2026-01-06"]},
            },
        },
    ),
    Case(
        "backfill-partitions",
        {"source_url": "@/days", "days": ["2026-01-05"]},
        {"verdict": "complete", "filled": 1, "start_again_with": None},
    ),
    Case(
        "data-quality-gate",
        output={
            "put_aside": 4,
            "because": ["countries are missing", "ids are used twice", "amounts are below zero"],
        },
    ),
    Case(
        "data-quality-gate",
        {"rows": [{"id": 1, "country": "DE", "amount": 1}]},
        {"published": 1},
    ),
    Case(
        "refund-request",
        {
            "order_id": "A1", "cents": 900, "ordered_at": "2020-01-01T00:00:00Z",
            "reason": "damaged", "payments_url": "@/payments",
        },
        {"order": "A1", "decision": "pay", "paid": True},
        calls=(("POST", "/payments"),),
    ),
    Case(
        "refund-request",
        {"order_id": "A2", "cents": 900, "ordered_at": "2020-01-01T00:00:00Z"},
        {"order": "A2", "decision": "refuse", "paid": False},
    ),
    Case(
        "refund-request",
        {"order_id": "A3", "cents": 9000, "ordered_at": "2099-01-01T00:00:00Z", "desk_url": HOOK},
        {"order": "A3", "decision": "ask", "paid": False},
        calls=(("POST", "/hook"),),
    ),
    Case(
        "supplier-price-update",
        {"shop_url": "@/shop"},
        {
            "small": ["tea"],
            "for_a_person": [{"sku": "kettle", "from": 3300, "to": 9900, "percent": 200}],
            "written": True,
        },
        calls=(("PUT", "/shop/prices/tea"),),
    ),
    Case(
        "month-end-close",
        {"close_url": "@/close"},
        {"month": "2026-10", "ledgers": 3, "off_balance": [], "locked": True, "trouble": ""},
        calls=(("POST", "/close"),),
    ),
    Case(
        "month-end-close",
        {"entries": {"sales": [5, -4]}, "close_url": "@/never"},
        {
            "month": "2026-10",
            "ledgers": 1,
            "off_balance": [{"ledger": "sales", "entries": 2, "off_by": 1}],
            "locked": False,
            "trouble": "",
        },
    ),
    Case(
        "payment-reconciliation",
        output={
            "paid": ["R-1001"],
            "open_cents": 25000,
            "for_a_person": ["amount of R-1003 differs"],
        },
    ),
    Case(
        "dunning",
        {"mail_url": "@/letters", "grace": "50ms"},
        {
            "letters": [
                {
                    "number": "R-1002",
                    "level": 3,
                    "text": "Dear Ann Able, this is our last reminder: invoice R-1002 over 50 EUR "
                    "is due since 2026-01-31.",
                }
            ],
            "sent": 1,
        },
        calls=(("POST", "/letters"),),
    ),
    Case("dunning", {"invoices": [], "mail_url": "@/letters"}, {"letters": [], "sent": 0}),
    Case(
        "exchange-rates",
        {"first_url": "@/rates", "yesterday": {"USD": 1.2}},
        {"base": "EUR", "rates": {"USD": 1.1, "GBP": 0.85}, "from_fallback": False,
         "jumps": ["USD"]},
    ),
    Case(
        "exchange-rates",
        {"first_url": "@/down/1", "second_url": "@/down/2"},
        state="failed",
    ),
    Case(
        "exchange-rates",
        {"first_url": "@/down/rates", "second_url": "@/rates"},
        {"base": "EUR", "rates": {"USD": 1.1, "GBP": 0.85}, "from_fallback": True, "jumps": []},
    ),
    Case(
        "health-sweep",
        {"urls": ["@/fine", "@/down/1", "http://127.0.0.1:1/"], "alert_url": HOOK, **NOW_FAST},
        {"looked_at": 3, "suspects": ["@/down/1", "http://127.0.0.1:1/"], "down": 2},
        calls=(("POST", "/hook"),),
    ),
    Case("health-sweep", {"urls": ["@/fine"]}, {"looked_at": 1, "suspects": [], "down": 0}),
    Case(
        "certificate-watch",
        {"domains": ["fine.example", "late.example"], "log_url": "@/logs", "alert_url": HOOK},
        {"looked_at": 2, "ending": [{"domain": "late.example", "ends": "2002-01-01T00:00:00"}]},
    ),
    Case(
        "incident-fan-out",
        {
            "what": "checkout is slow", "severity": "critical", "status_url": "@/down/shop",
            "facts": ["@/fine", "@/down/facts"], "channels": [HOOK, "@/pager"], **NOW_FAST,
        },
        {
            "message": "CRITICAL: checkout is slow. 1 of 2 pages answer.",
            "told": 2,
            "then": "escalate",
        },
        calls=(("POST", "/pager"),),
    ),
    Case(
        "canary-release",
        {"version": "2.1", "deploy_url": "@/fleet", "health_url": "@/fine", "soak": "50ms"},
        {"version": "2.1", "released": True},
        calls=(("POST", "/fleet/deploy"),),
    ),
    Case(
        "canary-release",
        {"version": "2.2", "deploy_url": "@/bad_fleet", "health_url": "@/down/canary",
         "soak": "50ms"},
        state="failed",
        calls=(("POST", "/bad_fleet/rollback"),),
    ),
    Case("batch-scoring", {"model_url": "@/model"}, {"scored": 3, "high": 2, "lost": []}),
    Case(
        "batch-scoring", {"model_url": "@/no/scores"}, state="failed",
    ),
    Case(
        "drift-check",
        {"retrain_url": HOOK},
        {"verdict": "drift", "drifted": ["basket"], "training_asked_for": True},
    ),
    Case(
        "weekly-report",
        {"projects": ["django/django", "down/gone"], "api_url": "@/repos",
         "last_week": {"django/django": 79_990}, "post_url": HOOK},
        {
            "numbers": [{"name": "django/django", "stars": 80_000, "issues": 3, "grown": 10}],
            "text": ...,
        },
    ),
    Case(
        "csv-import",
        {"import_url": "@/contacts"},
        {
            "good": 1,
            "imported": 1,
            "refused": [
                {"line": 3, "why": "this is no e-mail address"},
                {"line": 4, "why": "the name is missing"},
            ],
        },
        calls=(("POST", "/contacts"),),
    ),
    Case(
        "lead-routing",
        {"email": "ann@example.com", "employees": 300, "budget": "large", "country": "FR",
         "crm_url": "@/crm"},
        {"points": 65, "team": "paris", "next": "call"},
        calls=(("POST", "/crm"),),
    ),
    Case(
        "lead-routing",
        {"email": "bo@example.com", "country": "XX"},
        {"points": 0, "team": "world", "next": "nurture"},
    ),
    Case(
        "access-review",
        {"ticket_url": HOOK},
        {
            "reviewed": 3,
            "verdict": "work",
            "findings": {
                "leavers": ["zed on wiki"],
                "no_second_factor": ["bo on billing"],
                "too_many_admins": [],
            },
        },
    ),
    Case(
        "dependency-audit",
        {"database_url": "@/query", "packages": {"unsafe": "1.0", "fine": "2.0"},
         "allowed": ["CVE-1", "CVE-2"]},
        {"audited": 2, "accepted": ["CVE-1", "CVE-2"]},
    ),
    Case(
        "dependency-audit",
        {"database_url": "@/query", "packages": {"unsafe": "1.0"}, "allowed": ["CVE-1"]},
        state="failed",
    ),
    Case(
        "secret-rotation",
        {"keys_url": "@/keys", "services": ["@/one", "@/two"], "old_key": "old",
         "overlap": "50ms"},
        {"key": "new", "services": 2, "revoked": "old"},
        calls=(("DELETE", "/keys/keys/old"), ("PUT", "/two/key")),
    ),
    Case(
        "secret-rotation",
        {"keys_url": "@/keys", "services": ["@/ill"], "old_key": "kept", "overlap": "50ms"},
        state="failed",
        calls=(("POST", "/keys/keys/new/withdraw"),),
    ),
    Case(
        "data-erasure",
        {"person": "p7", "systems": ["@/crm", "@/shop"], "grace": "50ms", "receipt_url": HOOK},
        {"person": "p7", "systems": ["@/crm", "@/shop"], "requested_at": ..., "run": ...},
        calls=(("DELETE", "/shop/people/p7"),),
    ),
    Case("order-fulfilment", {"order_id": 7}, {"parcel": "P000007", "cents": 1800}),
    Case(
        "order-fulfilment",
        {"order_id": 8, "lines": [{"sku": "kettle"}]},
        state="failed",
    ),
    Case(
        "onboarding-mails",
        {"email": "ann@example.com", "name": "Ann", **NOW_FAST},
        {"mails": 3},
    ),
    Case(
        "onboarding-mails",
        {"email": "bo@example.com", "name": "Bo", "plan": "team", **NOW_FAST},
        {"mails": 2},
    ),
    Case(
        "nightly-backup",
        {"folder": "@folder", "into": "@packs", "keep": 2},
        {"archive": ..., "bytes": ..., "files": 2, "cleared": []},
    ),
    Case("train-and-promote", output={"strength": 0, "error": ..., "promoted": True}),
    Case(
        "train-and-promote",
        {"most_error": 0.0001},
        {"strength": ..., "error": ..., "promoted": False},
    ),
]  # fmt: skip

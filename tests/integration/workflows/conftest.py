"""A workspace and a small document."""

import pytest

from celesta.access import workspaces
from celesta.access.models import Workspace


@pytest.fixture
def workspace(db: None) -> Workspace:
    return workspaces.default()


@pytest.fixture
def document() -> str:
    """Two queues, a map, a join and a compensation."""
    return """\
workflow: orders
title: Orders
description: What becomes of an order
tags: [shop, daily]
params:
  type: object
  required: [order_id]
  properties: {order_id: {type: integer}}
nodes:
  fetch:
    type: transform
    with: {output: [1, 2]}
  lines:
    type: map
    needs: [fetch]
    with:
      over: "{{ nodes.fetch.output }}"
      do: {type: transform, with: {output: "{{ item }}"}}
  pay:
    type: transform
    needs: [fetch]
    queue: payments
    priority: 7
    with: {output: "{{ params.order_id }}"}
  ship:
    type: transform
    needs: [lines, pay]
    join: none_failed
    with: {output: 1}
  undo_pay:
    type: transform
    compensates: pay
    with: {output: 1}
"""

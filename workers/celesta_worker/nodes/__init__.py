"""The node types that come with Celesta: one class a file, registered here."""

from __future__ import annotations

from typing import Any

from celesta.graph.node_types import Registry
from celesta_worker.nodes.base import NodeTypeBase
from celesta_worker.nodes.branch import BranchNode
from celesta_worker.nodes.celery import CeleryNode
from celesta_worker.nodes.end import EndNode
from celesta_worker.nodes.http import HttpNode
from celesta_worker.nodes.map import MapNode
from celesta_worker.nodes.python import PythonNode
from celesta_worker.nodes.transform import TransformNode
from celesta_worker.nodes.wait import WaitNode

#: In the order of the palette.
NODE_TYPES: tuple[type[NodeTypeBase[Any]], ...] = (
    PythonNode,
    CeleryNode,
    HttpNode,
    TransformNode,
    BranchNode,
    MapNode,
    WaitNode,
    EndNode,
)


def register_all(registry: Registry) -> None:
    """Add every node type of this package."""
    for node_type in NODE_TYPES:
        registry.register(node_type())

"""Celesta imports this module in every process: what it imports is registered."""

from examples.catalogue import backup, learning, mail, shop
from examples.package_audit import nodes as package_audit

__all__ = ["backup", "learning", "mail", "package_audit", "shop"]

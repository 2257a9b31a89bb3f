"""Audit of the Python distributions on this machine: the code behind ``package_audit.yaml``.

``nodes`` is what the workflow names; the other modules are plain Python that knows nothing of
Celesta. Read them in this order: places, metadata, record, verify, unowned, summary, page.
"""

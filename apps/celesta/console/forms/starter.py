"""What a new document begins with: small, valid, and runnable as it stands."""

from __future__ import annotations

from typing import Final

STARTER: Final = """\
workflow: my.workflow
title: My workflow
description: What it is for, in a sentence.

params:                        # JSON Schema: becomes the start form
  type: object
  properties:
    name: {type: string, default: world}

nodes:
  greet:
    type: transform
    with:
      output: "Hello, {{ params.name }}!"
  shout:
    type: transform
    needs: [greet]
    with:
      output: "{{ nodes.greet.output }}"

output: "{{ nodes.shout.output }}"
"""

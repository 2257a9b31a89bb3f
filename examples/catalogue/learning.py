"""A line through points, regularised: small, real training for the template `train-and-promote`."""

from __future__ import annotations

import json

from pydantic import BaseModel

import celesta
from celesta_worker.context import NodeContext


class Model(BaseModel):
    """y = slope * x + intercept, found with this strength of regularisation."""

    strength: float
    slope: float
    intercept: float


class Scored(BaseModel):
    """A model and its mean absolute error on points it has not seen."""

    model: Model
    error: float


@celesta.node("examples.learning.split")
def split(points: list[tuple[float, float]], every: int) -> dict[str, object]:
    """Every n-th point is for the test, the others are for training."""
    test = points[::every]
    train = [point for number, point in enumerate(points) if number % every]
    if len(train) < 2 or not test:
        raise ValueError("too few points: at least two to train and one to test are needed")
    return {"train": train, "test": test}


@celesta.node("examples.learning.train")
def train(
    points: list[tuple[float, float]], strength: float, test: list[tuple[float, float]]
) -> dict[str, object]:
    """Fit a ridge regression in one variable and score it."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points) + strength
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    model = Model(strength=strength, slope=slope, intercept=mean_y - slope * mean_x)
    error = sum(abs(model.slope * x + model.intercept - y) for x, y in test) / len(test)
    return Scored(model=model, error=error).model_dump()


@celesta.node("examples.learning.best")
def best(models: list[Scored]) -> dict[str, object]:
    """The model with the smallest error."""
    return min(models, key=lambda scored: scored.error).model_dump()


@celesta.node("examples.learning.promote")
def promote(context: NodeContext, scored: Scored) -> dict[str, object]:
    """Keep the model as a file of this run, where whoever serves it can fetch it."""
    content = json.dumps(scored.model.model_dump(), indent=2).encode()
    return {"file": context.artifacts.save("model.json", content, "application/json")}

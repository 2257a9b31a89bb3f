"""The benchmark as a Django app: its one node function is found in `celesta_nodes`."""

from django.apps import AppConfig


class BenchmarksConfig(AppConfig):
    name = "benchmarks"
    label = "celesta_benchmarks"
    verbose_name = "Celesta benchmarks"

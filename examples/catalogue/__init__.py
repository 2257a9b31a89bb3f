"""Functions that the templates of `examples/celesta_templates` call, a module for each."""

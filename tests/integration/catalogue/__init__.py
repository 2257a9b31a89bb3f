"""The catalogue of templates, and archives of workflows."""

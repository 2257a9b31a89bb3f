"""The description of the API for machines (OpenAPI) and the page that shows it."""

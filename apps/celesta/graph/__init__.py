"""What a workflow means: documents, their compilation, gates, expressions, retries. Pure."""

"""Live streams: one poller a web process, any number of readers, resumable in any other process."""

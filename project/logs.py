"""Log lines as JSON objects, one a line (`LOG_FORMAT=json`)."""

import logging

import structlog


class JsonFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders every record, of structlog and of the standard library alike, as one JSON object."""

    def __init__(self) -> None:
        shared: list[structlog.typing.Processor] = [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ]
        super().__init__(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as a JSON object on one line."""
        return super().format(record)

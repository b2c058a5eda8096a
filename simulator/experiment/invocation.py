"""The command that is running, as it was typed; None for calls from Python."""

from contextvars import ContextVar

COMMAND: ContextVar[str | None] = ContextVar("command", default=None)

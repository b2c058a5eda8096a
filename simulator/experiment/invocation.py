"""The command that is running, as it was typed; None where Python calls the simulator."""

from contextvars import ContextVar

COMMAND: ContextVar[str | None] = ContextVar("command", default=None)

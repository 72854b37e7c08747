"""Everything that ``gambeson data`` can do, gathered: each import adds the commands of its subject."""

from __future__ import annotations

from gambeson.interfaces.cli import exchange, inspect_data, poison
from gambeson.interfaces.cli.versions import data_app

__all__ = ["data_app", "exchange", "inspect_data", "poison"]

"""Where data comes from: one module for each kind of source, behind :func:`open_dataset`."""

from __future__ import annotations

from gambeson.data.describing import describe
from gambeson.data.sources.opening import open_dataset
from gambeson.data.sources.options import DataOptions

__all__ = ["DataOptions", "describe", "open_dataset"]

"""Entry of ``gambeson`` and ``python -m gambeson``: answers ``--version`` before anything is loaded."""

from __future__ import annotations

import os
import sys


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; exits with 0, 1 or 2.

    Args:
        arguments: Words after ``gambeson``; those of the process by default.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if words == ["--version"]:
        from gambeson import __version__

        print(f"gambeson {__version__}")
        return
    # Threads that wait by spinning take the processor from whoever else computes, and from each other: an audit beside
    # one busy process took five times as long. OpenMP reads this when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from gambeson.interfaces.cli.app import run

    sys.exit(run(words))


if __name__ == "__main__":
    main()

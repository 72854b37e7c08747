"""Entry of ``gambeson`` and ``python -m gambeson``: answers ``--version`` before anything is loaded."""

from __future__ import annotations

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
    from gambeson.interfaces.process import prepare

    prepare()
    from gambeson.interfaces.cli.app import run

    sys.exit(run(words))


if __name__ == "__main__":
    main()

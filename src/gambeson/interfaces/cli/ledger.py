"""``gambeson ledger`` and ``gambeson store``: what was recorded, and what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gambeson.core.errors import UsageError
from gambeson.interfaces.cli import trace_options as options

app = typer.Typer(help="Read the ledger, prove what it holds.", no_args_is_help=True)
store_app = typer.Typer(help="Give up content that nothing needs.", no_args_is_help=True)


@app.command("show")
def show(
    store: options.Store = options.STORE, ledger: options.Ledger = "", as_json: options.AsJson = False
) -> None:
    """List every record, from the first on."""
    entries = options.workspace(store, ledger, options.KEYRING).registry.ledger.entries()
    if as_json:
        options.echo_json(entries)
        return
    for entry in entries:
        body = entry.body
        words = (
            f"{body.get('name')}@{body.get('number')} {body.get('type') or body.get('alias') or ''}".strip()
        )
        typer.echo(f"{entry.number:5}  {entry.time:%Y-%m-%d %H:%M:%S}  {entry.by}  {entry.kind}  {words}")


@app.command("prove")
def prove(
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the record")],
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
) -> None:
    """Print the proof that a record is in the ledger (RFC 9162), as JSON."""
    from gambeson.supply.merkle import prove_inclusion

    book = options.workspace(store, ledger, options.KEYRING).registry.ledger
    leaves = book.leaves()
    if not 0 <= number < len(leaves):
        raise UsageError(f"There is no record {number}.", expected=f"0 to {len(leaves) - 1}")
    proof = [step.hex() for step in prove_inclusion(number, leaves)]
    leaf = leaves[number].hex()
    options.echo_json(
        {"number": number, "leaf": leaf, "size": len(leaves), "root": book.root(), "proof": proof}
    )


@app.command("checkpoint")
def checkpoint(
    out: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; keep it away from the store")],
    key: Annotated[
        str,
        typer.Option(
            "--key", metavar="URI", help="Signs: file:PATH, env:VARIABLE or pkcs11:token=T;object=KEY"
        ),
    ],
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
) -> None:
    """Sign the ledger's size and root, so that later a rewritten ledger is found out."""
    from gambeson.adapters.files import write_whole
    from gambeson.service.verifying import make_checkpoint
    from gambeson.supply.keys import open_private_key

    space = options.workspace(store, ledger, keyring)
    write_whole(out, make_checkpoint(space, open_private_key(key)))
    typer.echo(f"wrote {out}; later: gambeson verify --checkpoint {out}")


@store_app.command("retire")
def retire(
    ref: options.Ref,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Recorded")] = "by hand",
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
) -> None:
    """Give up the content of a version; refused while an alias or another version needs it."""
    from gambeson.service.versioning import retire_version

    version = retire_version(options.workspace(store, ledger, options.KEYRING), ref, reason)
    typer.echo(f"{version.ref} is retired; gambeson store sweep frees its room")


@store_app.command("sweep")
def sweep(store: options.Store = options.STORE, ledger: options.Ledger = "") -> None:
    """Delete what no kept version and no record needs."""
    from gambeson.service.versioning import sweep as run

    pieces, room = run(options.workspace(store, ledger, options.KEYRING))
    typer.echo(f"deleted {pieces:,} pieces, {room:,} bytes")

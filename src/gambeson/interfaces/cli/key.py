"""``gambeson key``: make keys, trust them, stop trusting them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from gambeson.core.errors import UsageError
from gambeson.interfaces.cli import trace_options as options

app = typer.Typer(help="Make signing keys, and say which ones are trusted.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What people call the key")]
Expires = Annotated[
    str | None,
    typer.Option(
        "--expires", metavar="DATE", help="From when nothing counts that it signed, e.g. 2027-03-31"
    ),
]


@app.command("new")
def new(
    name: Name,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The private key (default: NAME.key)")
    ] = None,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="p256 or ed25519")] = "p256",
    password: Annotated[
        str,
        typer.Option(
            "--password", metavar="env:VARIABLE", help="Encrypts the private key", show_default=False
        ),
    ] = "",
    expires: Expires = None,
    keyring: options.Keyring = options.KEYRING,
) -> None:
    """Make a key pair: a private key only for you, and its public half in NAME.pub and in the keyring."""
    from gambeson.supply.keys import make_key, password_of

    path = out or Path(f"{name}.key")
    public_path = path.with_suffix(".pub")
    for existing in (path, public_path):
        if existing.exists():
            raise UsageError(f"{existing} exists.", remedy="choose another name, or move it away")
    pem, public = make_key(kind, password_of(password))
    _trust(keyring, name, public.pem, expires or "")
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(pem)
    public_path.write_text(public.pem)
    typer.echo(f"wrote {path} (keep it secret) and {public_path}; {keyring} trusts {name} ({public.id[:16]})")


@app.command("trust")
def trust(
    name: Name,
    public: Annotated[
        str, typer.Argument(metavar="URI", help="The public key: file:PATH, env:VARIABLE or pkcs11:...")
    ],
    expires: Expires = None,
    keyring: options.Keyring = options.KEYRING,
) -> None:
    """Trust the public key of somebody else."""
    from gambeson.supply.keys import open_public_key

    key = open_public_key(public)
    _trust(keyring, name, key.pem, expires or "")
    typer.echo(f"{keyring} trusts {name} ({key.id[:16]})")


@app.command("revoke")
def revoke(name: Name, keyring: options.Keyring = options.KEYRING) -> None:
    """Stop trusting a key: nothing that it ever signed counts any more."""
    from gambeson.adapters.files import write_whole
    from gambeson.service.tracing import now
    from gambeson.supply.keyring import read_keyring

    write_whole(keyring, read_keyring(keyring).revoking(name, now()).to_json())
    typer.echo(f"{keyring} trusts {name} no longer")


@app.command("list")
def list_keys(keyring: options.Keyring = options.KEYRING, as_json: options.AsJson = False) -> None:
    """List the keys of the keyring."""
    from gambeson.supply.keyring import read_keyring
    from gambeson.supply.keys import read_public_key

    rows = [
        {"name": e.name, "id": read_public_key(e.public).id, "expires": e.expires, "revoked": e.revoked}
        for e in read_keyring(keyring).keys
    ]
    if as_json:
        options.echo_json(rows)
        return
    for row in rows:
        state = (
            f"revoked {row['revoked']}" if row["revoked"] else row["expires"] and f"until {row['expires']}"
        )
        typer.echo(f"{row['name']}  {row['id'][:16]}  {state or 'no end'}")


def _trust(path: Path, name: str, pem: str, expires: str) -> None:
    from gambeson.adapters.files import write_whole
    from gambeson.service.tracing import now
    from gambeson.supply.keyring import Keyring, TrustedKey, moment, read_keyring

    if expires and moment(expires) <= now():
        raise UsageError(
            f"{expires} is past: nothing that the key signs would count.", expected="a later date"
        )
    keyring = read_keyring(path) if path.exists() else Keyring()
    write_whole(path, keyring.trusting(TrustedKey(name, pem, expires)).to_json())

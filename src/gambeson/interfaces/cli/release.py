"""``gambeson sign``, ``verify``, ``promote`` and ``rollback``: who vouches for what is served."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gambeson.core.errors import GambesonError, UsageError
from gambeson.interfaces.cli import trace_options as options
from gambeson.interfaces.cli.words import threshold

if TYPE_CHECKING:
    from gambeson.service.promoting import Promotion
    from gambeson.supply.keys import PublicKey

Signature = Annotated[
    Path | None,
    typer.Option("--signature", metavar="FILE", help="The signature file (default: PATH.sig)"),
]
Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="production, candidate, ...")]


def sign(
    target: Annotated[
        str, typer.Argument(metavar="PATH|NAME@VERSION", help="A model file or folder, or a version")
    ],
    key: Annotated[
        str,
        typer.Option(
            "--key", metavar="URI", help="Signs: file:PATH, env:VARIABLE or pkcs11:token=T;object=KEY"
        ),
    ],
    signature: Signature = None,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
) -> None:
    """Sign a model on this machine, or a version in the store.

    A path gets a signature file that the tool model_signing verifies, too. A version gets signed provenance, and a
    model the same signature beside it.
    """
    from gambeson.adapters.files import write_whole
    from gambeson.supply.keys import open_private_key
    from gambeson.supply.model_signature import sign_model

    secret = open_private_key(key)
    path = Path(target)
    if path.exists():
        out = signature or path.with_name(path.name + ".sig")
        write_whole(out, sign_model(path, secret, out))
        typer.echo(f"wrote {out}, signed by {secret.public.id[:16]}")
        return
    if "@" not in target:
        raise UsageError(f"{target} does not exist.", expected="a path, or NAME@VERSION")
    from gambeson.service.attesting import sign_version

    space = options.workspace(store, ledger, keyring)
    version = space.registry.version(target)
    documents = sign_version(space, version, secret)
    typer.echo(f"{version.ref}: signed {' and '.join(documents)} by {secret.public.id[:16]}")


def verify(
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="A model file or folder; none: the whole store")
    ] = None,
    signature: Signature = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="URI", help="Only this public key counts (default: the keyring's)"),
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint", metavar="FILE", help="Prove that the ledger still begins as it was then"
        ),
    ] = None,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
    as_json: options.AsJson = False,
) -> int:
    """Check a model against its signature, or everything in the store: records, pieces, signatures.

    Exit code 1 if something does not verify.
    """
    if path is not None:
        return _verify_file(
            path,
            signature or path.with_name(path.name + ".sig"),
            _keys(key, keyring),
            as_json,
            keyring=keyring if key is None else None,
        )
    from gambeson.service.verifying import check_checkpoint, verify_store

    space = options.workspace(store, ledger, keyring)
    seen = None
    if checkpoint is not None:
        seen, _ = check_checkpoint(space, _read(checkpoint), space.clock())
    result = verify_store(space)
    if as_json:
        options.echo_json({**options.plain(result), "checkpoint": seen})
        return 1 if result.problems else 0
    for problem in result.problems:
        typer.echo(f"FAILED  {problem}")
    for note in result.notes:
        typer.echo(f"note    {note}")
    begins = f"; begins with the {seen} records of the checkpoint" if seen else ""
    verdict = "does not verify" if result.problems else "verifies"
    typer.echo(
        f"{store} {verdict}: {result.records} records, {result.versions} versions, {result.documents} documents; "
        f"root {result.root[:16]}{begins}"
    )
    return 1 if result.problems else 0


def promote(
    ref: options.Ref,
    alias: Alias = "production",
    key: options.Key = None,
    override: Annotated[
        str,
        typer.Option(
            "--override",
            metavar="REASON",
            help="Promote all the same; recorded and signed",
            show_default=False,
        ),
    ] = "",
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on", metavar="SEVERITY", help="Of the audit: never, low, medium, high or critical"
        ),
    ] = "high",
    thresholds: Annotated[
        list[str] | None,
        typer.Option("--threshold", metavar="RULE", help="Of the audit, as for gambeson audit; repeatable"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", metavar="", help="Only say what would be refused")
    ] = False,
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
    as_json: options.AsJson = False,
) -> int:
    """Point ALIAS at a model if its content, scan, signature, provenance and audit verify, and so do its inputs.

    Exit code 1 if it is refused; each reason is named.
    """
    from gambeson.service.promoting import AuditRules, Promotion, judge
    from gambeson.service.promoting import promote as run
    from gambeson.settings import parse_severity

    space = options.workspace(store, ledger, keyring)
    rules = AuditRules(parse_severity(fail_on), tuple(threshold(text) for text in thresholds or ()))
    if dry_run:
        version = space.registry.version(ref)
        result = Promotion(version, alias, judge(space, version, rules), None)
    else:
        result = run(space, ref, alias, key=options.private_key(key), override=override, rules=rules)
    if as_json:
        options.echo_json(
            {"ref": result.version.ref, "promoted": result.move is not None, **options.plain(result)}
        )
    else:
        _show(result, dry_run)
    return 0 if result.move is not None or (dry_run and not result.refused) else 1


def rollback(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The model")],
    alias: Alias = "production",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Recorded")] = "by hand",
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    as_json: options.AsJson = False,
) -> None:
    """Point ALIAS back at the version before. The gate is not asked: what is in trouble is left at once."""
    from gambeson.service.promoting import roll_back

    move = roll_back(options.workspace(store, ledger, options.KEYRING), name, alias, reason)
    if as_json:
        options.echo_json(move)
    else:
        typer.echo(f"{name}@{alias} is version {move.number} again")


def lineage(
    ref: options.Ref,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The page to write")] = Path(
        "lineage.html"
    ),
    store: options.Store = options.STORE,
    ledger: options.Ledger = "",
    keyring: options.Keyring = options.KEYRING,
    as_json: options.AsJson = False,
) -> None:
    """Draw where a version came from, who vouches for it, and how its audits went, as one page."""
    from gambeson.adapters.files import write_whole
    from gambeson.audit.report.lineage_page import to_lineage_page
    from gambeson.service.picturing import lineage_page

    page = lineage_page(options.workspace(store, ledger, keyring), ref)
    if as_json:
        options.echo_json(page)
        return
    write_whole(out, to_lineage_page(page).encode())
    typer.echo(f"wrote {out}: {page.verdict[1].lower()}")


def _show(result: Promotion, dry_run: bool) -> None:
    for item in result.requirements:
        typer.echo(f"{'ok     ' if item.holds else 'REFUSED'}  {item.name} of {item.subject}: {item.reason}")
    if result.move is not None:
        typer.echo(f"{result.version.name}@{result.alias} is version {result.version.number}")
    elif result.refused or not dry_run:
        typer.echo(f"{result.version.ref} is not promoted to {result.alias}")
    else:
        typer.echo(f"{result.version.ref} would be promoted to {result.alias}")


def _verify_file(
    path: Path, signature: Path, keys: list[PublicKey], as_json: bool, *, keyring: Path | None
) -> int:
    from gambeson.core.errors import IntegrityError, Refused
    from gambeson.service.verifying import verify_file

    try:
        found = verify_file(path, signature, keys)
    except (IntegrityError, Refused) as error:
        if as_json:
            options.echo_json({"verified": False, "reason": error.message})
        else:
            typer.echo(f"FAILED  {_why(error, signature, keyring)}")
        return 1
    if as_json:
        options.echo_json({"verified": True, **options.plain(found)})
    else:
        typer.echo(
            f"{path} verifies: {found.files:,} {'file' if found.files == 1 else 'files'}, signed by {found.key[:16]}"
        )
    return 0


def _why(error: GambesonError, signature: Path, keyring: Path | None) -> str:
    """The error, or that the key which signed is known and trusted no longer."""
    from gambeson.core.errors import Refused
    from gambeson.service.tracing import now
    from gambeson.supply.keyring import read_keyring
    from gambeson.supply.keys import read_public_key
    from gambeson.supply.model_signature import names_key

    if isinstance(error, Refused) and keyring is not None:
        bundle = signature.read_bytes()
        for entry in read_keyring(keyring).keys:
            if names_key(bundle, read_public_key(entry.public)):
                try:
                    entry.check(now())
                except Refused as stale:
                    return str(stale)
    return str(error)


def _keys(key: str | None, keyring: Path) -> list[PublicKey]:
    from gambeson.service.tracing import now
    from gambeson.supply.keyring import read_keyring
    from gambeson.supply.keys import open_public_key

    return [open_public_key(key)] if key is not None else read_keyring(keyring).trusted(now())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None

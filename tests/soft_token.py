"""A PKCS#11 token in software (SoftHSM) for a test, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

PIN = "2468"


def find_library() -> Path | None:
    """SoftHSM's library, or ``None`` where it is not installed."""
    places = [
        Path("/usr/lib/softhsm/libsofthsm2.so"),
        *sorted(Path("/usr/lib").glob("*/softhsm/libsofthsm2.so")),
    ]
    return next((place for place in places if place.exists() and shutil.which("softhsm2-util")), None)


def make_token(folder: Path) -> Path:
    """A token ``tests`` with the ECDSA pairs ``release`` (P-256) and ``large`` (P-384); returns its configuration.

    ``SOFTHSM2_CONF`` must name the configuration before the library is loaded: it reads it once in a process.
    """
    tokens = folder / "tokens"
    tokens.mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nlog.level = ERROR\n")
    words = ["softhsm2-util", "--init-token", "--free", "--label", "tests", "--pin", PIN, "--so-pin", "1357"]
    environ = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    subprocess.run(words, check=True, capture_output=True, env=environ)
    return configuration


def make_pairs(library: Path) -> None:
    """Make the pairs on the token."""
    import pkcs11
    from pkcs11 import Attribute, KeyType
    from pkcs11.util.ec import encode_named_curve_parameters

    token = pkcs11.lib(str(library)).get_token(token_label="tests")
    with token.open(rw=True, user_pin=PIN) as session:
        for name, curve in (("release", "secp256r1"), ("large", "secp384r1")):
            domain = {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}
            session.create_domain_parameters(KeyType.EC, domain, local=True).generate_keypair(
                store=True, label=name
            )
        session.generate_keypair(KeyType.RSA, 2048, store=True, label="rsa")

"""Merkle trees over a log: one hash for all of it, and short proofs that nothing was left out or rewritten.

Source: RFC 9162 (Certificate Transparency 2.0), section 2.1; the same hashes as RFC 6962.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(record: bytes) -> bytes:
    """Hash of one record: SHA-256 of a zero byte and the record."""
    return hashlib.sha256(b"\x00" + record).digest()


def root_hash(leaves: Sequence[bytes]) -> bytes:
    """Hash of the whole tree, section 2.1.1.

    Args:
        leaves: Leaf hashes in order; none gives the hash of nothing.
    """
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = _split(len(leaves))
    return _node(root_hash(leaves[:split]), root_hash(leaves[split:]))


def prove_inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The hashes that lead from a leaf to the root, section 2.1.3.1; ``index`` counts from 0."""
    if len(leaves) <= 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*prove_inclusion(index, leaves[:split]), root_hash(leaves[split:])]
    return [*prove_inclusion(index - split, leaves[split:]), root_hash(leaves[:split])]


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether a proof shows that a leaf stands at ``index`` in the tree of ``size`` leaves, section 2.1.3.2."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = _node(step, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = _node(found, step)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def prove_consistency(size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """The hashes that show that the first ``size`` leaves were only added to, section 2.1.4.1; 0 < size."""
    return _consistency(size, leaves, whole=True)


def extends(old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a proof shows that the new tree begins with the old one, section 2.1.4.2."""
    if old_size == new_size:
        return not proof and old_root == new_root
    if not 0 < old_size < new_size:
        return False
    steps = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not steps:
        return False
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = _node(step, old), _node(step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = _node(new, step)
        at, last = at >> 1, last >> 1
    return last == 0 and old == old_root and new == new_root


def _consistency(size: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of the RFC; ``whole`` says that the subtree's root is known to the verifier."""
    if size == len(leaves):
        return [] if whole else [root_hash(leaves)]
    split = _split(len(leaves))
    if size <= split:
        return [*_consistency(size, leaves[:split], whole=whole), root_hash(leaves[split:])]
    return [*_consistency(size - split, leaves[split:], whole=False), root_hash(leaves[:split])]


def _split(count: int) -> int:
    """The largest power of two below a count of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()

"""Pieces in an object store, on fsspec's own memory, and on S3 where a server for it is installed."""

from __future__ import annotations

import importlib
import importlib.util
import socket
import subprocess
import sys
import time
import uuid

import pytest

from gambeson.adapters.objects_remote import RemoteObjects
from gambeson.core.errors import IntegrityError, Unavailable, UsageError
from gambeson.supply.files import list_files
from gambeson.supply.store import Store
from tests.trust import write_tree

pytest.importorskip("fsspec")
A, B = "a" * 64, "b" * 64


@pytest.fixture(params=["memory", "s3"])
def objects(request, monkeypatch):
    if request.param == "memory":
        yield RemoteObjects(f"memory://{uuid.uuid4().hex}/store")
        return
    if not all(importlib.util.find_spec(name) for name in ("moto", "s3fs", "boto3")):
        pytest.skip("moto and s3fs are not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)], stderr=subprocess.DEVNULL
    )
    try:
        for name, value in (
            ("ACCESS_KEY_ID", "x"),
            ("SECRET_ACCESS_KEY", "x"),
            ("DEFAULT_REGION", "us-east-1"),
        ):
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        _make_bucket()
        importlib.import_module("s3fs").S3FileSystem.clear_instance_cache()  # it remembers the server before
        yield RemoteObjects("s3://bucket/store")
    finally:
        server.kill()
        server.wait()


def _make_bucket():
    import boto3

    for _ in range(100):
        try:
            boto3.client("s3").create_bucket(Bucket="bucket")
            return
        except Exception:  # not up yet
            time.sleep(0.2)


def test_pieces_are_kept_and_listed(objects):
    assert (list(objects.names()), objects.sizes(), objects.has(A)) == ([], 0, False)
    objects.save([(A, b"one"), (B, b"two")])
    assert (objects.load(A), objects.has(B), sorted(objects.names()), objects.sizes()) == (
        b"one",
        True,
        [A, B],
        6,
    )
    with pytest.raises(IntegrityError, match="has lost"):
        objects.load("c" * 64)
    with pytest.raises(IntegrityError, match="no name"):
        objects.load("../x")


def test_a_tree_goes_in_and_comes_out(objects, tmp_path):
    store = Store(objects)
    name, tree = store.add_tree(list_files(write_tree(tmp_path / "in", {"a": b"1" * 90_000, "b/c": b"2"})))
    assert store.check(name) == tree
    store.check_out(name, tmp_path / "out")
    assert (tmp_path / "out" / "b" / "c").read_bytes() == b"2"


def test_nothing_is_deleted_without_a_lock(objects):
    for order in (lambda: objects.remove([A]), objects.sweeping):
        with pytest.raises(Unavailable, match="no lock"):
            order()


def test_a_store_that_fails_is_said(monkeypatch):
    objects = RemoteObjects("memory://x/store")

    def broken(*_):
        raise RuntimeError("no route")

    monkeypatch.setattr(objects._files, "pipe_file", broken)
    with pytest.raises(Unavailable, match="no route"):
        objects.save([(A, b"1")])


def test_another_scheme_is_no_store():
    with pytest.raises(UsageError, match="is no store"):
        RemoteObjects("nosuch://x")

from tests.corpus.archives import plain_zip
from tests.corpus.look import rules_of, severe

ELF = b"\x7fELF" + bytes(60)


def test_native_code_is_worse_where_it_is_not_expected():
    assert rules_of(ELF, "kernel.so") == {"scan.file.native"}
    assert severe(ELF, "kernel.so") == severe(ELF, "libx.so.1") == severe(ELF, "program") == set()
    assert severe(ELF, "weights.bin") == {"scan.file.native"}
    assert severe(plain_zip({"kernel.so": ELF}), "model.zip") == {"scan.file.native"}


def test_closed_archives_are_named():
    assert rules_of(b"7z\xbc\xaf\x27\x1c" + bytes(30), "a.7z") == {"scan.archive.closed"}
    assert rules_of(b"seven zips", "a.7z") == set()

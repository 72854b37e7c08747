import zlib
from dataclasses import replace

import pytest

from gambeson.supply.content import Content
from gambeson.supply.expanding import Bomb, expanded
from gambeson.supply.scanner import Budget, Limits, Visit
from gambeson.supply.sniffing import Format


def visit(**limits):
    given = replace(Limits(), **limits)
    return Visit(
        Content(b""), "a", "a", Format.ZIP, given, Budget(given.members, given.expanded), lambda _: iter(())
    )


def test_what_comes_out_is_kept_with_its_checksum():
    with expanded(visit(), 9, [b"ab", b"cd"]) as out:
        assert (out.content.read(0, 9), out.crc, out.error) == (b"abcd", zlib.crc32(b"abcd"), "")


def test_much_of_it_lies_in_a_file():
    pieces = [bytes([n]) * (1 << 20) for n in range(40)]
    with expanded(visit(), 40 << 20, pieces) as out:
        assert out.content.size == 40 << 20
        assert out.content.read((33 << 20) - 1, 2) == b"\x20\x21"


def test_what_came_before_an_error_is_kept():
    def pieces():
        yield b"ab"
        raise EOFError

    with expanded(visit(), 9, pieces()) as out:
        assert (out.content.read(0, 9), out.error) == (b"ab", "EOFError")


@pytest.mark.parametrize("limits", [{"expanded": 3}, {"large": 3, "ratio": 1}])
def test_too_much_is_a_bomb(limits):
    with pytest.raises(Bomb), expanded(visit(**limits), 1, [b"ab", b"cd"]):
        pass


def test_the_budget_is_shared_by_all_members():
    one = visit(expanded=5)
    with expanded(one, 9, [b"abc"]):
        pass
    with pytest.raises(Bomb), expanded(one, 9, [b"abc"]):
        pass

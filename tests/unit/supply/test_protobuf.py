import pytest
from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.content import Content
from gambeson.supply.protobuf import BrokenMessage, Message
from tests.corpus.messages import count, text, varint


def test_fields_come_in_order_with_their_bytes():
    message = Message(Content(count(1, 300) + text(2, "word") + b"\x1d\x00\x00\x80\x3f"))
    first, second, third = message.fields()
    assert (first.number, first.value) == (1, 300)
    assert (second.number, message.text(second)) == (2, "word")
    assert (third.number, third.end - third.start) == (3, 4)


def test_a_message_within_is_read_through_the_same_window():
    message = Message(Content(text(7, text(1, "inner"))))
    (outer,) = message.fields()
    inner = message.inner(outer)
    assert [inner.text(field) for field in inner.fields()] == ["inner"]


@pytest.mark.parametrize("data", [b"\x0a\x05ab", b"\x0a", b"\x0b", b"\x00", b"\xff" * 11])
def test_what_breaks_the_encoding_is_said(data):
    with pytest.raises(BrokenMessage):
        list(Message(Content(data)).fields())


def test_the_last_field_may_be_cut_where_that_is_allowed():
    assert [f.number for f in Message(Content(b"\x08\x01\x3a\x63ab")).fields(whole=False)] == [1, 7]


@given(st.lists(st.tuples(st.integers(1, 500), st.integers(0, 2**64 - 1))))
def test_numbers_survive(pairs):
    data = b"".join(varint(n << 3) + varint(value) for n, value in pairs)
    assert [(f.number, f.value) for f in Message(Content(data)).fields()] == pairs


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_break(data):
    try:
        end = 0
        for field in Message(Content(data)).fields():
            assert end < field.end <= len(data)
            end = field.end
    except BrokenMessage:
        pass

import pickletools

from hypothesis import given
from hypothesis import strategies as st

from gambeson.supply.pickle_opcodes import EXTENSIONS, LONG_ARGUMENTS, pass_over, token

CODES = {ord(op.code): op for op in pickletools.opcodes}
STOPS = {ord("."), 0x80, ord("c"), ord("i"), 0x93, ord("P"), ord("Q"), 0x97, 0x98}


def test_every_opcode_of_the_protocol_is_passed_over_or_known_to_matter():
    for code in CODES:
        argument = b"\n" if code in b"FILSVgpPci" else bytes(16)
        passed = token().match(bytes([code]) + argument) is not None
        assert passed != (
            code in STOPS or code in EXTENSIONS or code in (0x8D, 0x8E, 0x96, ord("T"), 0x8B)
        ), hex(code)


def test_no_other_byte_is_passed_over():
    for code in set(range(256)) - CODES.keys():
        assert token().match(bytes([code]) + bytes(16)) is None


def test_the_width_of_each_length_is_that_of_the_protocol():
    widths = {
        pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4: 4,
        pickletools.TAKEN_FROM_ARGUMENT4U: 4, pickletools.TAKEN_FROM_ARGUMENT8U: 8,
    }  # fmt: skip
    counted = {code: widths[op.arg.n] for code, op in CODES.items() if op.arg and op.arg.n in widths}
    assert counted == LONG_ARGUMENTS


@given(
    st.lists(
        st.one_of(st.integers(), st.floats(), st.text(max_size=300), st.binary(max_size=300), st.none())
    ),
    st.integers(0, 5),
)
def test_tokens_are_those_of_pickletools(values, protocol):
    import pickle

    data = pickle.dumps(values, protocol)
    at = 2 if protocol >= 2 else 0
    places = [at for _, _, at in pickletools.genops(data)]
    while at < len(data):
        match = token().match(data, at)
        assert at in places
        if match is None:
            return
        end = match.end()
        assert end in places or end == len(data)
        at = end


def test_a_run_ends_where_something_matters():
    data = b"K\x01K\x02\x85cos\nsystem\n"
    assert pass_over().match(data).end() == 5

from tests.corpus.look import rules_of
from tests.corpus.opcodes import EVIL, HARMLESS, PROTO, call, long, named


def test_each_place_is_named():
    from gambeson.supply.scanning import scan_bytes

    (finding,) = scan_bytes(HARMLESS + call("os", "system", protocol=2), "m.pkl")
    assert finding.target == f"m.pkl@{len(HARMLESS) + 2}"
    assert "os.system" in finding.title
    assert finding.remedy


def test_a_tail_and_a_break_are_told_apart():
    assert rules_of(HARMLESS + b"\x00\x01", "m.pkl") == {"scan.pickle.tail"}
    assert rules_of(HARMLESS[:-2], "m.pkl") == {"scan.pickle.broken"}
    assert rules_of(HARMLESS + EVIL[:-1], "m.pkl") == {"scan.pickle.dangerous", "scan.pickle.broken"}


def test_persistent_ids_are_torch_s_own():
    data = PROTO[2] + long("x") + b"Q."
    assert rules_of(data, "m.pkl") == {"scan.pickle.persistent"}


def test_an_unknown_name_is_not_a_known_danger():
    assert rules_of(PROTO[2] + named("mine", "Net") + b")\x81.", "m.pkl") == {"scan.pickle.global"}
    assert rules_of(PROTO[2] + named("collections", "OrderedDict") + b")R.", "m.pkl") == set()

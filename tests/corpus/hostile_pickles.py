"""Hostile pickles: every way that is known to us of hiding what unpickling calls."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.corpus.opcodes import EVIL, HARMLESS, MARK, PROTO, STOP, binary, call, long, named, short, stacked

UNUSUAL = (
    ("timeit", "timeit"), ("pip", "main"), ("pip._internal", "main"), ("cProfile", "run"), ("profile", "runctx"),
    ("numpy.testing._private.utils", "runstring"), ("numpy.f2py.crackfortran", "getlincoef"), ("runpy", "_run_code"),
    ("code", "InteractiveInterpreter"), ("builtins", "eval"), ("builtins", "getattr"), ("importlib", "import_module"),
    ("operator", "methodcaller"), ("torch", "load"), ("torch.hub", "load"), ("torch.serialization", "load"),
    ("torch._dynamo.guards.GuardBuilder", "get"), ("torch.utils.bottleneck.__main__", "run_cprofile"),
    ("torch.fx.graph_module", "reduce_graph_module"), ("numpy", "load"), ("numpy.core", "_ufunc_reconstruct"),
    ("joblib", "load"), ("_io", "open"), ("io", "FileIO"), ("webbrowser", "open"), ("marshal", "loads"),
    ("types", "CodeType"), ("collections", "OrderedDict.__init__.__globals__"), ("doctest", "debug_script"),
    ("lib2to3.pgen2.grammar", "Grammar.loadgrammar"), ("ctypes", "CDLL"), ("logging.config", "listen"),
    ("uuid", "_get_command_stdout"), ("idlelib.run", "Executive"), ("ensurepip._bundled", "x"), ("pty", "spawn"),
    ("subprocess", "Popen"), ("asyncio.unix_events", "_UnixSubprocessTransport._start"),
    ("socket", "create_connection"),
    ("shutil", "rmtree"), ("sklearn.utils.parallel", "Parallel"), ("sklearn.datasets", "load_files"),
    ("somepackage.plugin", "Loader"), ("__main__", "Net"), ("pandas", "read_pickle"), ("pandas.eval", "eval"),
    ("pathlib", "Path.write_text"), ("sys", "modules"), ("os\r", "system"), ("site", "execsitecustomize"),
    ("pkgutil", "resolve_name"), ("_pyrepl.pager", "pipe_pager"), ("_osx_support", "_find_build_tool"),
    ("_aix_support", "_read_cmd_output"), ("imaplib", "IMAP4_stream"), ("distutils.file_util", "write_file"),
    ("numpy.f2py.crackfortran", "myeval"), ("cgitb", "lookup"), ("pydoc", "locate"), ("pydoc", "pipepager"),
    ("torch._inductor.codecache", "compile_file"), ("torch.utils.cpp_extension", "load_inline"),
    ("torch.jit.unsupported_tensor_ops", "execWrapper"), ("torch.library", "torch.utils.collect_env.run"),
    ("torch.utils._config_module", "ConfigModule.load_config"), ("multiprocessing.util", "spawnv_passfds"),
    ("mlflow.projects.backend.local", "_run_entry_point"), ("pandas.io.parsers.readers", "read_csv"),
    ("urllib.request", "urlretrieve"), ("transformers", "AutoModel.from_pretrained"), ("fickling", "load"),
    ("sklearn.utils", "Bunch.__init__.__globals__"), ("numpy", "int32.__class__"), ("code", "interact"),
    ("torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression"),
)  # fmt: skip


def hostile_pickles() -> Iterator[tuple[str, bytes]]:
    """File name and content."""
    for protocol in range(6):
        yield f"system-{protocol}.pkl", call("os", "system", protocol=protocol)
    for number, (module, name) in enumerate(UNUSUAL):
        yield f"unusual-{number}-{module.strip()}.pkl", call(module, name, protocol=4 if "." in name else 2)
    yield from _hidden()
    yield from _other_opcodes()
    yield from _broken()
    yield from _elsewhere()


def _hidden() -> Iterator[tuple[str, bytes]]:
    argument = short("true") + b"\x85R" + STOP
    p4 = PROTO[4]
    yield "memo.pkl", p4 + short("os") + b"\x94" + short("system") + b"\x94" + b"00h\x00h\x01\x93" + argument
    yield "dup.pkl", p4 + short("timeit") + b"2\x93" + argument
    yield (
        "memo-twice.pkl",
        p4
        + short("collections")
        + b"q\x00"
        + short("os")
        + b"q\x000"
        + b"0h\x00"
        + short("system")
        + b"\x93"
        + argument,
    )
    yield "popped.pkl", p4 + short("os") + short("system") + short("x") + b"0\x93" + argument
    yield "tuple-between.pkl", p4 + short("os") + b"(t0" + short("system") + b"\x93" + argument
    yield "unicode-escape.pkl", p4 + b"V\\u006fs\n" + short("system") + b"\x93" + argument
    yield (
        "long-string.pkl",
        p4 + b"\x8d" + struct.pack("<Q", 2) + b"os" + short("system") + b"\x93" + argument,
    )
    yield "old-string.pkl", p4 + b"U\x02os" + b"U\x06system" + b"\x93" + argument
    yield from _hidden_far(argument)


def _hidden_far(argument: bytes) -> Iterator[tuple[str, bytes]]:
    p4 = PROTO[4]
    yield (
        "memo-far.pkl",
        p4
        + short("os")
        + b"\x94"
        + b"K\x01\x94" * 300
        + b"j\x00\x00\x00\x00"
        + short("system")
        + b"\x93"
        + argument,
    )
    yield (
        "sparse-memo.pkl",
        p4
        + short("os")
        + b"r\xff\xff\xff\x7f0"
        + b"j\xff\xff\xff\x7f"
        + short("system")
        + b"\x93"
        + argument,
    )
    yield "frame-lie.pkl", p4 + b"\x95" + b"\xff" * 7 + b"\x00" + EVIL[11:]
    yield "frames-in-row.pkl", p4 + (b"\x95" + bytes(8)) * 3 + EVIL[11:]
    yield "late.pkl", p4 + b"(" + b"K\x01" * 1_500_000 + b"t0" + EVIL[11:]
    yield (
        "late-memo.pkl",
        p4
        + short("os")
        + b"\x94("
        + b"K\x01" * 1_500_000
        + b"t0h\x00"
        + short("system")
        + b"\x93"
        + argument,
    )
    yield "in-partial.pkl", PROTO[2] + named("functools", "partial") + named("os", "system") + b"\x85R."
    yield "nested-torch.pkl", PROTO[2] + named("torch.storage", "_load_from_bytes") + binary(EVIL) + b"\x85R."
    yield "computed-bytes.pkl", PROTO[2] + named("torch.storage", "_load_from_bytes") + b"N\x85R."
    yield "called-result.pkl", PROTO[2] + named("operator", "itemgetter") + b"K\x01\x85R" + b"N\x85R."


def _other_opcodes() -> Iterator[tuple[str, bytes]]:
    yield "inst.pkl", b"(S'true'\nios\nsystem\n."
    yield "obj.pkl", MARK + named("os", "system") + b"S'true'\no."
    yield "newobj.pkl", PROTO[2] + named("subprocess", "Popen") + long("true") + b"\x85\x81."
    yield "newobj-ex.pkl", PROTO[4] + stacked("subprocess", "Popen") + short("true") + b"\x85}\x92."
    yield (
        "build.pkl",
        PROTO[2] + named("__main__", "Exploit") + b")\x81}" + long("cmd") + long("true") + b"sb.",
    )
    yield (
        "patch-class.pkl",
        PROTO[2]
        + named("collections", "OrderedDict")
        + b"N}"
        + long("update")
        + named("builtins", "list")
        + b"s\x86b.",
    )
    yield "persistent.pkl", b"Pos.system\n."
    yield "binary-persistent.pkl", PROTO[2] + long("os.system") + b"Q."
    yield "extension-1.pkl", PROTO[2] + b"\x82\x01)R."
    yield "extension-2.pkl", PROTO[2] + b"\x83\x01\x01)R."
    yield "extension-4.pkl", PROTO[2] + b"\x84\x01\x01\x01\x01)R."


def _broken() -> Iterator[tuple[str, bytes]]:
    yield "no-stop.pkl", EVIL[:-1]
    yield "breaks-after-call.pkl", EVIL[:-1] + b"\xff\xff\xff"
    yield "harmless-tail.pkl", HARMLESS + b"\x00\x01\x02 this is no pickle"
    yield "harmless-half.pkl", HARMLESS[:-3]
    yield "second.pkl", HARMLESS + EVIL
    yield "third-after-tail.pkl", HARMLESS + HARMLESS + EVIL[:-4]
    yield "stack-underflow.pkl", PROTO[2] + named("os", "system") + b"\x85RRRR."
    yield "argument-over-end.pkl", PROTO[2] + named("os", "system") + b"X\xff\xff\xff\x7ftrue\x85R."
    yield "protocol-9.pkl", b"\x80\x09" + EVIL[2:]
    yield "get-nothing.pkl", PROTO[4] + b"h\x07" + EVIL[11:]


def _elsewhere() -> Iterator[tuple[str, bytes]]:
    for suffix in ("png", "txt", "csv", "onnx", "safetensors", "json", "bin", "dat", "h5", "gguf", "npy"):
        yield f"pickle.{suffix}", EVIL
    yield "early.txt", call("os", "system", protocol=0)
    yield "early.bin", call("os", "system", protocol=1)
    yield "no-protocol.bin", EVIL[11:]
    yield "no-protocol-global.bin", named("os", "system") + long("true") + b"\x85R."
    yield "frame-first.bin", EVIL[2:]
    yield "late.bin", PROTO[4] + b"K\x010" * 2_000 + EVIL[11:]
    yield "late-early.txt", b"I1\n0" * 30_000 + call("os", "system", protocol=0)
    yield (
        "late-early.dat",
        b"I1\n0" * 300 + b"(" + b"K\x01" * 60_000 + b"t0" + call("os", "system", protocol=1),
    )

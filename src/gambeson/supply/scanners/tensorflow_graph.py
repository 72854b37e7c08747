"""TensorFlow SavedModel and GraphDef: operators that touch files or run Python, and Keras Lambda layers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gambeson.core.finding import Finding
from gambeson.supply.protobuf import BYTES, BrokenMessage, Message
from gambeson.supply.scanner import ScannerFacts, Visit, scanners
from gambeson.supply.sniffing import Format

_OPERATORS = re.compile(
    r"(Read|Write|Matching)Files?|PyFunc(Stateless)?|EagerPyFunc|NumpyFunc|WholeFileReader(V2)?|TextLineReader(V2)?|"
    r"FixedLengthRecordReader(V2)?|TFRecordReader(V2)?|LMDBReader|IdentityReader(V2)?|ReaderRead\w*|"
    r"(TextLine|TFRecord|FixedLengthRecord|Csv|LMDB|Sql|Experimental\w*|DataService)Dataset(V\d)?|SaveDataset(V2)?|"
    r"LoadDataset|Debug(Identity|NanCount|NumericSummary)(V\d)?|RpcCall|RpcServer\w*|WriteSummary|"
    r"Create(Summary\w*|Summary)Writer|SummaryWriter|WriteScalarSummary|ImportEvent|LoadAndRemap\w*|"
    r"Skipgram|GenerateVocabRemapping|PrintV2|Abort|TPUCompile\w*|XlaHostCompute|HostCompute\w*"
)
_LAMBDA = re.compile(rb'"class_name"\s*:\s*"(\w*>)?(Lambda|L\\u0061mbda)"')
_DEEPEST = 6
_MOST = 20


@scanners.register(
    "tensorflow",
    ScannerFacts((Format.TENSORFLOW,), "operators that read or write files or run Python; Lambda layers"),
)
def scan_graph(visit: Visit) -> Iterator[Finding]:
    """Everything that is wrong with a SavedModel or a frozen graph."""
    found: dict[str, int] = {}
    try:
        message = Message(visit.content)
        if visit.content.head[0] == 0x08:
            _saved_model(message, found)
        else:
            _graph(message, found)
    except BrokenMessage as error:
        yield visit.hit("scan.tensorflow.broken", str(error))
    bad = [(name, at) for name, at in found.items() if _OPERATORS.fullmatch(name)]
    for name, at in bad[:_MOST]:
        yield visit.hit("scan.tensorflow.op", name, offset=at)
    place = visit.content.find(b"Lambda")
    if place >= 0 and _LAMBDA.search(visit.content.read(max(0, place - 64), 128)):
        yield visit.hit("scan.keras.lambda", "in the metadata of the SavedModel", offset=place)


def _saved_model(message: Message, found: dict[str, int]) -> None:
    for item in message.fields():
        if item.number == 2 and item.wire == BYTES:
            meta = message.inner(item)
            for part in meta.fields():
                if part.number == 2 and part.wire == BYTES:
                    _graph(meta.inner(part), found)


def _graph(message: Message, found: dict[str, int]) -> None:
    for item in message.fields():
        if item.number == 1 and item.wire == BYTES:
            _node(message.inner(item), found)
        elif item.number == 2 and item.wire == BYTES:
            _library(message.inner(item), found)


def _library(message: Message, found: dict[str, int]) -> None:
    """Functions of the graph; their nodes are field 3."""
    for item in message.fields():
        if item.number == 1 and item.wire == BYTES:
            function = message.inner(item)
            for part in function.fields():
                if part.number == 3 and part.wire == BYTES:
                    _node(function.inner(part), found)


def _node(message: Message, found: dict[str, int]) -> None:
    for item in message.fields():
        if item.number == 2 and item.wire == BYTES:
            found.setdefault(message.text(item), item.start)
            return

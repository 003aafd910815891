"""Python text for random stages."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.equivalence.bodies import INTO_X, OUT_OF_X, TYPES, kinds_in
from tests.equivalence.methods import body, gives_list, handler, indented, result, stream
from tests.equivalence.pipes import CALLING, Stage

CLASSES = {
    "sync pipe": ("SyncBasePipe", "process"),
    "async pipe": ("AsyncBasePipe", "process"),
    "stream pipe": ("StreamPipe", "process_item"),
    "plain stream pipe": ("StreamPipe", "process_item"),
    "filter pipe": ("FilterPipe", "keep"),
    "async filter pipe": ("AsyncFilterPipe", "keep"),
    "lazy flat-map pipe": ("FlatMapPipe", "expand"),
    "list flat-map pipe": ("FlatMapPipe", "expand"),
    "async flat-map pipe": ("AsyncFlatMapPipe", "expand"),
    "async list flat-map pipe": ("AsyncFlatMapPipe", "expand"),
    "batch pipe": ("BatchStreamPipe", "process_batch"),
    "plain batch pipe": ("BatchStreamPipe", "process_batch"),
    "lingering batch pipe": ("BatchStreamPipe", "process_batch"),
    "window pipe": ("WindowedStreamPipe", "process_window"),
    "sliding pipe": ("SlidingWindowPipe", "process_window"),
    "user stream": ("StreamPipe", "process_stream"),
}
CALLEES = {
    "function": "{0}",
    "defaults": "{0}",
    "partial": "partial({0}, 2)",
    "traced": "{0}",
    "object": "{0}()",
    "method": "{0}().work",
}
PARAMETERS = {
    "defaults": "data: {0}, extra: int = 2, *, more: int = 1",
    "partial": "extra: int, data: {0}, /, more: int = 1",
    "object": "self, data: {0}, extra: int = 2, more: int = 1",
    "method": "self, data: {0}, extra: int = 2, more: int = 1",
}
X = re.compile(r"\bx\b")
MEMBERS = {
    "state": "count = 0",
    "class_attribute": "RATE = 2",
    "property": "@property\ndef factor(self) -> int:\n    return 2",
    "method": "def helped(self, x: int) -> int:\n    return x + 1",
    "static": "@staticmethod\ndef plain(x: int) -> int:\n    return x + 2",
    "class_method": "@classmethod\ndef of_class(cls, x: int) -> int:\n    return x + 3",
    "mangled": "__secret = 1",
    "mangled_method": "def __shift(self, x: int) -> int:\n    return x - 1",
}


def definition(stage: Stage, name: str) -> str:
    """Give the class or function of a stage; nothing, if it needs none."""
    if stage.kind.form == "operator":
        return ""
    if stage.kind.form == "function":
        return _function(stage, name)
    return _class(stage, name)


def expression(stage: Stage, name: str) -> str:
    """Give what makes the stage, and where it stands in a chain."""
    made = _made(stage, name)
    settings = stage.settings
    if not settings.is_empty and settings.given == "stage":
        made = f"{_pipe(stage, made)}.with_config({settings.written()})"
    if stage.limit:
        threads = ", threads=True" if stage.kind.family == "sync" else ""
        made = f"{_pipe(stage, made)}.concurrent({stage.limit}, {stage.ordered}{threads})"
    return made


def _pipe(stage: Stage, made: str) -> str:
    """Give a pipe of what may be a bare function."""
    return f"map({made})" if stage.op == "bare function" else made


def _made(stage: Stage, name: str) -> str:
    seconds = f"timedelta(seconds={stage.size / 2})"
    match stage.op:
        case op if op in CALLING:
            return f"{stage.op.removeprefix('async ')}({CALLEES[stage.callee].format(name)})"
        case "lambda":
            # No lambda in the lambda: mypy would not know the type of what it gives.
            into = INTO_X[stage.takes].format("data")
            return f"map(lambda data: {re.sub(X, f'({into})', OUT_OF_X[stage.gives])})"
        case "bare function" | "@pipe" | "async @pipe":
            return name
        case "identity":
            return f"StreamPipe[{TYPES[stage.takes]}, {TYPES[stage.takes]}]()"
        case "drop_none":
            return "drop_none()"
        case "skip":
            return f"skip({stage.size * stage.step - 1})"
        case "take":
            return f"take({stage.size * stage.step})"
        case "batch":
            return f"batch({stage.size})"
        case "lingering batch":
            return f"batch({stage.size}, {seconds})"
        case "tumbling":
            return f"tumbling({seconds})"
        case "sliding":
            return f"sliding({stage.size}, {stage.step})"
    if stage.style == "forgetful":
        return f"{name}()"
    arguments = _sizes(stage)
    if stage.style == "made":  # the class passes the rest on by itself
        arguments = [each.removeprefix("linger=") for each in arguments]
    else:
        arguments += [f"name={stage.name!r}"] if stage.name is not None else []
        if stage.settings.given == "pipe" and not stage.settings.is_empty:
            arguments.append(f"config={stage.settings.written()}")
    types = f"[{TYPES[stage.takes]}]" if stage.style == "generic" else ""
    return f"{name}{types}({', '.join(arguments)})"


def _sizes(stage: Stage) -> list[str]:
    seconds = f"timedelta(seconds={stage.size / 2})"
    match stage.op:
        case "batch pipe" | "plain batch pipe":
            return [str(stage.size)]
        case "lingering batch pipe":
            return [str(stage.size), f"linger={seconds}"]
        case "window pipe":
            return [seconds]
        case "sliding pipe":
            return [str(stage.size), str(stage.step)]
    return []


def _function(stage: Stage, name: str) -> str:
    is_async = "async " if stage.kind.family == "async" else ""
    gives = result(stage)
    if stage.op == "async flat_map" and not gives_list(stage):
        gives = f"AsyncIterator[{stage.out}]"
    parameters = PARAMETERS.get(stage.callee, "data: {0}").format(TYPES[stage.takes])
    does = body(stage, name, "data", has_self=False)
    if stage.callee in PARAMETERS:
        does.insert(2, "x += extra - more")
    called = {"object": "__call__", "method": "work"}.get(stage.callee)
    lines = [f"{is_async}def {called or name}({parameters}) -> {gives}:", *indented(does)]
    if called:
        return "\n".join([f"class {name}:", *indented(lines)])
    if stage.callee == "traced":
        lines.insert(0, "@traced_later" if is_async else "@traced")
    if stage.op in ("@pipe", "async @pipe"):
        named = f"(name={stage.name!r})" if stage.name is not None else ""
        if named:  # the decorator takes no name: so it is called by hand
            return (
                "\n".join([*lines, "", "", f"{name} = pipe({name}, name={stage.name!r})"])
                .replace(f"def {name}(", f"def {name}_function(")
                .replace(f"pipe({name},", f"pipe({name}_function,")
            )
        lines.insert(0, "@pipe")
    return "\n".join(lines)


def _class(stage: Stage, name: str) -> str:
    base, method = CLASSES[stage.op]
    takes, gives = TYPES[stage.takes], stage.out
    if stage.style == "generic":
        types = "T" if base.endswith("FilterPipe") else "T, T"
        head = f"class {name}({base}[{types}], Generic[T]):"
    else:
        types = takes if base.endswith("FilterPipe") else f"{takes}, {gives}"
        head = f"class {name}({base}[{types}]):"
    parts = list(_members(stage))
    constructor = _constructor(stage)
    if constructor:
        parts.append(constructor)
    parts.append("\n".join(_method(stage, name, method)))
    if stage.settings.handler:
        parts.append(handler(stage, name))
    text = "\n".join([head, *indented("\n\n".join(parts).split("\n"))])
    if stage.style == "inherited":
        base_head = head.replace(name, f"{name}Base", 1)
        own = "    pass"
        return f"{text.replace(head, base_head)}\n\n\nclass {name}({name}Base):\n{own}"
    return text


def _members(stage: Stage) -> Iterator[str]:
    for kind in dict.fromkeys(kinds_in(stage.body)):
        if kind in MEMBERS:
            yield MEMBERS[kind]
    if "list_on_self" in kinds_in(stage.body):
        yield "_seen: list[int] | None = None"
        yield (
            "@property\ndef seen(self) -> list[int]:\n    if self._seen is None:\n"
            "        self._seen = []\n    return self._seen"
        )


def _constructor(stage: Stage) -> str:
    if stage.style == "forgetful":
        return "def __init__(self) -> None:\n    self.given = 1"
    if stage.style != "made":
        return ""
    sizes = [each.split("=") for each in _sizes(stage)]
    parameters = [f"size_{index}: {_type_of(each[-2:][-1])}" for index, each in enumerate(sizes)]
    passed = [
        f"{each[0]}=size_{index}" if len(each) > 1 and each[0] == "linger" else f"size_{index}"
        for index, each in enumerate(sizes)
    ]
    if stage.name is not None:
        passed.append(f"name={stage.name!r}")
    if stage.settings.given == "pipe" and not stage.settings.is_empty:
        passed.append(f"config={stage.settings.written()}")
    return (
        f"def __init__({', '.join(['self', *parameters])}) -> None:\n"
        f"    super().__init__({', '.join(passed)})\n    self.given = 2"
    )


def _type_of(size: str) -> str:
    return "int" if size.isdigit() else "timedelta"


def _method(stage: Stage, name: str, method: str) -> list[str]:
    is_async = stage.kind.family == "async" and not stage.op.startswith("plain")
    word = "async def" if is_async else "def"
    if stage.op == "user stream":
        lines = [f"async def {method}(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:"]
        return lines + indented(stream(stage, name))
    takes = "T" if stage.style == "generic" else TYPES[stage.takes]
    if stage.kind.lists:
        takes = f"list[{takes}]"
    return [
        f"{word} {method}(self, data: {takes}) -> {result(stage)}:",
        *indented(body(stage, name, "data", has_self=True)),
    ]

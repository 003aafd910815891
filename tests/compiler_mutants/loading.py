"""Guards, artifacts, and the command that writes them."""

from __future__ import annotations

from tests.compiler_mutants.making import COMMAND, FILES, LOADER, broken

ARTIFACT = "compiler/artifact.py"
ARTIFACTS = "rivusio/compiled/artifacts.py"
COMPILING = "rivusio/cli/compiling.py"
DRIVER = "compiler/driver.py"
GUARDS = "rivusio/compiled/guards.py"
LOAD = "rivusio/loader.py"
MANIFEST = "rivusio/compiled/manifest.py"

GUARDED = (
    broken(
        "load",
        GUARDS,
        "if function is not each.function:",
        "if function is None:",
        "a guard lets any function pass",
        *FILES,
    ),
    broken(
        "load",
        GUARDS,
        "if function.__code__ is not each.code or function.__defaults__ or ",
        "if function is None and ",
        "a guard does not look at a function's code",
        *FILES,
    ),
    broken(
        "load",
        GUARDS,
        "call.__func__ if call.__self__ is stage.pipe else None",
        "call.__func__",
        "a guard takes the method of another pipe for a pipe's own",
        *FILES,
    ),
    broken(
        "load",
        GUARDS,
        "call: Any = call_of(stage.operation)\n",
        'call: Any = vars(type(stage.pipe)).get("process", call_of(stage.operation))\n',
        "a guard is blind to an attribute of the instance",
        *LOADER,
    ),
    broken(
        "load",
        ARTIFACTS,
        "if difference(stages, known[1]) is None:",
        "if known:",
        "what was loaded once is good for ever",
        *FILES,
    ),
    broken(
        "load",
        ARTIFACTS,
        "if not any(code == each for each in _codes_of(path, code)):",
        "if code is None:",
        "live code need not be what the file says",
        *FILES,
    ),
    broken(
        "load",
        ARTIFACTS,
        "if function.__defaults__ or function.__kwdefaults__ or function.__closure__:",
        "if code is None:",
        "a function may have been given defaults",
        *FILES,
    ),
    broken(
        "load",
        ARTIFACTS,
        "if function is None or module is None or vars(module) is not function.__globals__:",
        "if function is None or module is None:",
        "names are read from another module of the same name",
        *FILES,
    ),
    broken(
        "load",
        LOAD,
        "if manifest is None or manifest.shapes != shapes:\n            continue\n        if all(",
        "if manifest is None or len(manifest.shapes) != len(shapes):\n"
        "            continue\n        if all(",
        "an artifact serves a chain of other settings",
        *LOADER,
    ),
    broken("1.2", LOAD, "mode = current_mode()", 'mode: Mode = "auto"', "the mode is not asked"),
    broken(
        "load",
        LOAD,
        'if mode == "interpreted":',
        "if mode is None:",
        'mode "interpreted" runs what was compiled',
        *LOADER,
    ),
    broken(
        "load",
        LOAD,
        'if mode == "compiled":',
        "if mode is None:",
        'mode "compiled" interprets',
        *LOADER,
    ),
    broken(
        "load",
        LOAD,
        "and (file, message) not in _warned",
        "and file is not None",
        "a reason is told at every run",
        *LOADER,
    ),
)

TRUSTED = (
    broken(
        "load", ARTIFACTS, "if found != expected:", "if False:", "a stale artifact runs", *LOADER
    ),
    broken(
        "load",
        ARTIFACTS,
        "if manifest.rivusio != this_version():",
        "if False:",
        "an artifact of another version runs",
        *LOADER,
    ),
    broken(
        "load",
        ARTIFACTS,
        "if manifest.python != this_python():",
        "if False:",
        "an artifact of another Python runs",
        *LOADER,
    ),
    broken(
        "load",
        ARTIFACTS,
        "if hash_of(content) != manifest.module:",
        "if False:",
        "a module that was edited runs",
        *LOADER,
    ),
    broken(
        "load",
        MANIFEST,
        "if manifest.seal != _seal_of(",
        "if False and manifest.seal != _seal_of(",
        "a manifest that was edited is believed",
        *LOADER,
    ),
    broken(
        "load",
        MANIFEST,
        'found.get("format") not in (None, FORMAT)',
        "not found",
        "a manifest of another format is believed",
        *LOADER,
    ),
    broken(
        "load",
        ARTIFACTS,
        "if known is None or known[:2] != (status.st_mtime_ns, status.st_size):",
        "if known is None:",
        "a file that changes while it runs is not read anew",
        *LOADER,
    ),
    broken(
        "load",
        ARTIFACTS,
        "if known is None or known.changed != changed:",
        "if known is None:",
        "artifacts that change while a program runs are not read anew",
        *LOADER,
    ),
)

WRITTEN = (
    broken(
        "load",
        ARTIFACT,
        "for file in sorted(files)}",
        "for file in [path.name]}",
        "an artifact does not know the files of imported pipes",
        *LOADER,
    ),
    broken(
        "command",
        ARTIFACT,
        "for file in sorted(set(looked_at))}",
        "for file in [str(path)]}",
        "a file is up to date though one that it imports has changed",
        *FILES,
    ),
    broken(
        "write",
        DRIVER,
        "if path not in wrong and source.path not in wrong:",
        "if path:",
        "artifacts are written for a file with an error",
        *COMMAND,
        "-k",
        "keeps_its_artifacts or in_one_go",
    ),
    broken(
        "write",
        DRIVER,
        "planned.diagnostics.extend(said)",
        "pass",
        "a module that mypy is against is installed",
        *COMMAND,
        "-k",
        "does_not_pass_mypy",
    ),
    broken(
        "write",
        ARTIFACT,
        "Path(name).replace(path)",
        "path.write_bytes(content)",
        "an artifact is written in its place",
        *COMMAND,
        "-k",
        "several_at_once or module_and_a_manifest",
    ),
    broken(
        "write",
        ARTIFACT,
        "while name.casefold() in (each.casefold() for each in names):",
        "while name in ():",
        "two chains have one artifact",
        *FILES,
    ),
    broken(
        "write",
        ARTIFACT,
        "path.unlink(missing_ok=True)",
        "pass",
        "the artifact of a chain that is no more stays",
        *COMMAND,
        "-k",
        "no_more",
    ),
    broken(
        "command",
        COMPILING,
        "if calls or any(reason is not None for _, reason in stale):",
        "if not stale:",
        "--check always gives 0",
        *COMMAND,
        "-k",
        "test_check",
    ),
    broken(
        "command",
        ARTIFACT,
        "if hash_of(content) != manifest.module:",
        "if False:",
        "--check does not see that a module was edited",
        *COMMAND,
        "-k",
        "test_check",
    ),
    broken(
        "command",
        ARTIFACT,
        "if index.python != this_python():",
        "if False:",
        "what another Python has compiled is up to date",
        *FILES,
    ),
    broken(
        "command",
        ARTIFACT,
        "if index.rivusio != rivusio.__version__:",
        "if False:",
        "what another version has compiled is up to date",
        *FILES,
    ),
    broken(
        "command",
        COMPILING,
        "    if done.failed:\n",
        "    if False:\n",
        "an error gives 0",
        *COMMAND,
        "-k",
        "keeps_its_artifacts or in_one_go",
    ),
)

MUTANTS = (*GUARDED, *TRUSTED, *WRITTEN)

"""Files that do something when they are imported, and whose chains only an import can tell."""

from __future__ import annotations

LIVE = """import os, sys
from rivusio import map
def made():
    chain = map(int)
    for _ in range(int(os.environ.get("STAGES", "2"))):
        chain = chain >> map(int)
    return chain
chain = made()
"""

# Their import fails: an error at the chain that only it could tell, and no artifact.
FAILING = {
    "exits": "sys.exit(3)",
    "exits_well": "sys.exit()",
    "ends_python": "os._exit(0)",
    "ends_python_badly": "os._exit(3)",
    "interrupts": "raise KeyboardInterrupt",
    "raises_base": "raise BaseException('x')",
    "raises_group": "raise ExceptionGroup('x', [ValueError(1)])",
    "raises_odd_text": "raise ValueError('\\ud800\\n\\x00\\x1b[31m')",
    "raises_without_text": (
        "class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd"
    ),
    "kills_itself": "os.kill(os.getpid(), 9)",
    "crashes": "import ctypes; ctypes.string_at(0)",
    "recurses": "def f(): f()\nf()",
    "reads": "input('name? ')",
    "breaks_the_hook": "sys.excepthook = None; 1 / 0",
    "warns_as_errors": "import warnings; warnings.simplefilter('error'); warnings.warn('x')",
    "alarms": "import signal; signal.raise_signal(signal.SIGALRM)",
    "raises_the_end": "raise GeneratorExit",
}

# Whatever they do is none of our affair: their chains are compiled.
HARMLESS = {
    "prints": "print('x' * 100_000); print('{}', file=sys.stderr)",
    "has_no_streams": "sys.stdout = sys.stderr = sys.stdin = None",
    "leaves_a_thread": (
        "import threading\nthreading.Thread(target=threading.Event().wait).start()"
    ),
    "registers": "import atexit; atexit.register(lambda: 1 / 0)",
    "goes_elsewhere": "os.chdir('/')",
    "runs_a_loop": "import asyncio; asyncio.run(asyncio.sleep(0))",
    "renames_itself": "__name__ = 'something else'",
    "hides_its_class": ("class Odd:\n    __class__ = property(lambda self: 1 / 0)\nodd = Odd()"),
    "answers_anything": (
        "class Any:\n    def __getattr__(self, name): raise BaseException(name)\nany = Any()"
    ),
    "sends_output_away": "os.dup2(os.open(os.devnull, os.O_WRONLY), 1)",
}

HANGING = {
    "loops": "while True: pass",
    "waits": "import threading; threading.Event().wait()",
    "ignores_signals": (
        "import signal, time\n"
        "for each in (signal.SIGTERM, signal.SIGINT): signal.signal(each, signal.SIG_IGN)\n"
        "while True: time.sleep(1)"
    ),
    "starts_another": "import subprocess; subprocess.run(['sleep', '1000'])",
}


def program(does: str) -> bytes:
    """Give a file that does something when its chain is made."""
    return f"{LIVE}{does}\n".encode()

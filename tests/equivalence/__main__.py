"""Runs random chains in both modes, many of them: `make fuzz N=20000`.

Failures are left as files under `.fuzz/`; one that shows a fault joins `regressions/`, where it
runs with the other tests.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path

from tests.equivalence.batches import Outcome, attempted

FOLDER = Path(__file__).parents[2] / ".fuzz"
BATCH = 40  # chains that are compiled in one run of the compiler


def main() -> int:
    """Run so many chains; answer 1 if there was a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.equivalence", description=__doc__)
    parser.add_argument("chains", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(1_000_000)))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}: {chosen.chains} chains, {chosen.jobs} at once", flush=True)
    started = time.monotonic()
    counts = [BATCH] * (chosen.chains // BATCH) + [chosen.chains % BATCH]
    batches = [(f"{chosen.seed}:{index}", count) for index, count in enumerate(counts) if count]
    whole = Outcome()
    # A process for each batch: what it has imported goes with it.
    with multiprocessing.get_context("spawn").Pool(chosen.jobs, maxtasksperchild=1) as pool:
        for outcome in pool.imap_unordered(attempted, batches):
            for text in outcome.failures:
                _keep(chosen.seed, len(whole.failures), text)
                whole.failures.append(text)
            outcome.failures.clear()
            whole.add(outcome)
            minutes = (time.monotonic() - started) / 60
            print(
                f"{whole.cases} chains, {whole.runs} runs, {whole.events} events, "
                f"{len(whole.failures)} differ ({minutes:.1f} min)",
                flush=True,
            )
    print(f"\n{whole.table}")
    print(f"seed {chosen.seed}: {len(whole.failures)} of {whole.cases} chains differ")
    return 1 if whole.failures else 0


def _keep(seed: str, number: int, text: str) -> None:
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{seed}_{number}.case"
    path.write_text(text, encoding="utf-8")
    print(f"  {path.relative_to(FOLDER.parent)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

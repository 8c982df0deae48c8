"""How long programs take in the sandbox, beside the bare operation in the same run; prints JSON.

python benchmarks/bench_sandbox.py [--cluster] [--short]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median, quantiles

from study_app.content.task_packs import load_pack
from study_app.domain.tasks.checks import Check, Same, call
from study_app.domain.tasks.packs import TaskPack
from study_app.domain.tasks.programs import Program
from study_app.ports import Sandbox
from study_app.sandbox.local import LocalSandbox
from study_app.sandbox.server import Options
from study_app.services.grading.grading import grade

ROOT = Path(__file__).resolve().parents[1]
TRIVIAL = Program("import trio\n\nasync def main():\n    print('hello')\n\ntrio.run(main)\n", ("trio",))
TICKS = "import trio\n\nasync def main():\n    for n in range(5):\n        await trio.sleep(0.5)\n        print(n)\n"
LONG = Program(f"{TICKS}\ntrio.run(main)\n", ("trio",))


def milliseconds(action: Callable[[], object], times: int) -> dict[str, float]:
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        spent.append(1000 * (time.perf_counter() - began))
    return {"p50": round(median(spent), 2), "p95": round(quantiles(spent, n=20)[-1], 2)}


def seconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return round(time.perf_counter() - began, 3)


def bare_import() -> None:
    subprocess.run([sys.executable, "-c", "import trio"], check=True)


def side_by_side(sandbox: Sandbox, programs: int) -> dict[str, float]:
    """Time for many 2.5 s programs at once, and the largest error of a line's stamp."""
    with ThreadPoolExecutor(programs) as pool:
        began = time.perf_counter()
        results = list(pool.map(sandbox.run, [LONG] * programs))
        spent = time.perf_counter() - began
    errors = [abs(line.seconds - 0.5 * (n + 1)) for result in results for n, line in enumerate(result.lines)]
    assert all(len(result.lines) == 5 for result in results)
    return {"programs": programs, "seconds": round(spent, 3), "worst_stamp_error_ms": round(1000 * max(errors), 1)}


def twenty_checks() -> TaskPack:
    """The timer's pack with 20 hidden checks of up to 2.4 s each."""
    pack = load_pack(ROOT / "tasks" / "trio_timer")
    output = Same(value=False)
    checks = [
        Check(f"timer {n}", lambda rng: call("timer", rng.randint(4, 6), rng.choice([0.3, 0.35, 0.4])), compare=output)
        for n in range(20)
    ]
    return replace(pack, checks=(replace(pack.checks[0], case=call("timer", 1, 0.1)), *checks[:19]))


def graded(sandbox: Sandbox, pack: TaskPack, seeds: int) -> float:
    began = time.perf_counter()
    assert grade(sandbox, pack, pack.solution, seeds=seeds, run_seed=1).complete
    return round(time.perf_counter() - began, 3)


def simulated(sandbox: Sandbox, people: int) -> float:
    packs = [load_pack(ROOT / "tasks" / name) for name in ("warmup", "trio_timer", "trio_users")]
    work = [(pack, person) for person in range(people) for pack in packs]
    return seconds(lambda: [grade(sandbox, pack, pack.solution, clock="virtual", run_seed=seed) for pack, seed in work])


def through_a_cluster(times: int) -> dict[str, float]:
    from distributed import LocalCluster

    from study_app.sandbox.cluster import ClusterSandbox

    with LocalCluster(2, threads_per_worker=8, processes=True, dashboard_address=None, silence_logs=50) as cluster:
        sandbox = ClusterSandbox(cluster.scheduler_address)
        sandbox.isolation()
        for _ in range(8):
            sandbox.run(TRIVIAL)
        figures = milliseconds(lambda: sandbox.run(TRIVIAL), times)
        sandbox.close()
    return figures


def main() -> None:
    short = "--short" in sys.argv
    sandbox = LocalSandbox(Options(bubblewrap="--bubblewrap" in sys.argv))
    pack = twenty_checks()
    figures: dict[str, object] = {"load": os.getloadavg()[0], "isolation": sandbox.isolation().level}
    figures["start_of_fork_server_ms"] = round(1000 * seconds(lambda: sandbox.run(TRIVIAL)), 1)
    run, bare = (
        milliseconds(lambda: sandbox.run(TRIVIAL), 50 if short else 300),
        milliseconds(bare_import, 10 if short else 40),
    )
    figures["trivial_trio_run_ms"], figures["python_import_trio_ms"] = run, bare
    figures["ratio_to_bare_python"] = round(run["p50"] / bare["p50"], 3)
    figures["side_by_side"] = side_by_side(sandbox, 64)
    for seeds in (1, 3):
        figures[f"20_checks_real_clock_{seeds}_seeds_s"] = graded(sandbox, pack, seeds)
    people = 5 if short else 52
    figures[f"simulated_grading_{people}_people_3_packs_s"] = simulated(sandbox, people)
    sandbox.close()
    if "--cluster" in sys.argv:
        figures["through_two_process_cluster_ms"] = through_a_cluster(20 if short else 100)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

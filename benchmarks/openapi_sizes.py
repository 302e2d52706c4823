"""How long descriptions of growing size take to become tools, and how much memory they hold.

python benchmarks/openapi_sizes.py
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from langchain_gorilla.sources.openapi import tools_from_openapi
from tests.sources.large_api import large_api

SIZES = (1_250, 2_500, 5_000, 10_000)


def measure(operations: int) -> None:
    """Print one row of the table."""
    import resource

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.yaml")
        path.write_text(large_api(operations), encoding="utf-8")
        before = time.process_time()
        tools = tools_from_openapi(path, allow_writes=True)
        seconds = time.process_time() - before
        size = path.stat().st_size / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{len(tools):>10,} {len(tools.refusals):>8} {size:>9.1f} {seconds:>8.1f} {memory:>9.0f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("operations", type=int, nargs="?", help="measure this size alone")
    if operations := parser.parse_args().operations:
        measure(operations)
    else:
        print(f"{'tools':>10} {'refused':>8} {'YAML, MB':>9} {'CPU s':>8} {'peak MB':>9}")
        for size in SIZES:
            # Each in a process of its own, for its own peak.
            sys.stdout.flush()
            subprocess.run([sys.executable, __file__, str(size)], check=True)

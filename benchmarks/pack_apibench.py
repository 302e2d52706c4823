"""Pack what APIBench's verdicts need into the package: API calls and domains, nothing else.

    python benchmarks/pack_apibench.py ../shared/apibench

The source is github.com/ShishirPatil/gorilla (commit 6ea57973, Apache-2.0): ``api/*_api.jsonl``
and ``eval/*_eval.json``.
"""

import argparse
import json
from pathlib import Path

from langchain_gorilla.evaluation.apibench_data import BUNDLED, HUBS, read_benchmark
from langchain_gorilla.evaluation.printing import run_command


def main() -> None:
    """Pack every hub."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="holds api/ and eval/")
    folder = parser.parse_args().folder
    for hub in HUBS:
        benchmark = read_benchmark(folder, hub)
        packed = {
            "source": "github.com/ShishirPatil/gorilla, commit 6ea57973, Apache-2.0",
            "apis": [[row.api_call, row.domain] for row in benchmark.apis],
            "question_domains": list(benchmark.question_domains),
        }
        target = BUNDLED / f"apibench_{hub}.json"
        target.write_text(json.dumps(packed, ensure_ascii=False, indent=0), encoding="utf-8")
        print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    run_command(main)

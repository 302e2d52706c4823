"""What tuning on one's own tools does: hand-written prompts before and after.

    python benchmarks/tuning.py [--phrases] [--count 1200] [--general 500] [--epochs 1] [--out DIR]

The bundled model is tuned on the 25 tools of ``bundled/prompts.json``, by their documents alone:
questions are made of these, never of the prompts, which then judge. With ``--phrases`` half of the
questions are in the words of ``bundled/phrases.json``, eight templates for each tool, which a
language model wrote that was shown the tools and nothing else of this project. Conversations with
other tools say what was forgotten meanwhile. Takes some 20 minutes on one slow CPU thread.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from bundled_model import FOLDER, answer_prompts, hold_conversations

from langchain_gorilla import ChatGorilla, bundled
from langchain_gorilla.evidence import BUNDLED_WEIGHT
from langchain_gorilla.formats.registry import format_named
from langchain_gorilla.training.evaluate import interval
from langchain_gorilla.tuning.measuring import judged, table
from langchain_gorilla.tuning.questions import TEST, TRAIN, write_questions
from langchain_gorilla.tuning.rows import read_tuning_rows
from langchain_gorilla.tuning.training import TuningOptions, tune

V2 = format_named("openfunctions-v2")


def _share(rows: list[dict[str, Any]]) -> str:
    right = sum(row["right"] for row in rows)
    low, high = interval(right, len(rows))
    return f"{right / len(rows):.3f} ({low:.2f}-{high:.2f})"


def main() -> None:
    """Tune, ask before and after, print the tables."""
    parser = argparse.ArgumentParser(description="What tuning on one's own tools does.")
    parser.add_argument("--phrases", action="store_true", help="ask in people's own words too")
    parser.add_argument("--count", type=int, default=1200, help="questions for the tools")
    parser.add_argument("--general", type=int, default=500, help="rows of the bundled training")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--out", type=Path, help="keep rows and model here")
    options = parser.parse_args()
    out = options.out or Path(tempfile.mkdtemp())
    given = json.loads((FOLDER / "prompts.json").read_text("utf-8"))
    phrases = json.loads((FOLDER / "phrases.json").read_text("utf-8"))
    made = write_questions(
        given["tools"],
        out,
        count=options.count,
        general=options.general,
        phrases=phrases if options.phrases else None,
    )
    rows, _ = read_tuning_rows(out / TRAIN)
    test, _ = read_tuning_rows(out / TEST)
    asked = {message.text for row in rows for message in row.messages}
    known = [one["question"] for one in given["prompts"] if one["question"] in asked]
    print(
        f"{made.train} rows to learn from, {made.test} to measure by; prompts among them: {known}"
    )
    chosen = TuningOptions(epochs=options.epochs)
    print(tune(rows, model="bundled", format_=V2, out=out / "model", options=chosen))
    runs, lines = {}, []
    for name, folder in (("before", bundled.path()), ("after", out / "model")):
        model = ChatGorilla(
            model=str(folder), format=V2, temperature=0, lexical_weight=BUNDLED_WEIGHT
        )
        prompts = list(answer_prompts(model, f"prompts, {name}"))
        repeated = sum(row["repeated"] for row in prompts)
        held = list(hold_conversations(model))
        lines.append(f"| {name} | {_share(prompts)} | {repeated} | {_share(held)} |")
        runs[name] = list(judged(model, test, name=f"test, {name}"))
    print("| | prompts | repeated an identical call | conversations |\n|---|---|---|---|")
    print("\n".join(lines))
    print(table(runs))


if __name__ == "__main__":
    main()

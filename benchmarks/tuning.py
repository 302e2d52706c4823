"""What tuning on one's own tools does, beside a control that is trained as long on others.

    python benchmarks/tuning.py [--count 1200] [--general 500] [--epochs 1] [--control] [--out DIR]

The bundled model is tuned on the 25 tools of ``bundled/prompts.json``: on questions made of their
documents, half of them in people's words (``bundled/phrases.json``, eight templates for each tool,
which a language model wrote that was shown the tools and nothing else of this project). Two of each
eight are kept: ``kept phrases`` are questions in words that were not trained on. ``prompts`` are the
40 written by hand, ``conversations`` 20 with five other tools, which say what was forgotten.
``--control`` trains on as many rows of the bundled model's own training, and on none of the tools.
Takes some 20 minutes on one slow CPU thread.
"""

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bundled_model import FOLDER, answer_prompts, hold_conversations

from langchain_gorilla import ChatGorilla, bundled
from langchain_gorilla.evaluation.outputs import check_outputs
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.evidence import BUNDLED_WEIGHT
from langchain_gorilla.formats.registry import format_named
from langchain_gorilla.functions import function_set
from langchain_gorilla.training.evaluate import interval
from langchain_gorilla.tuning.measuring import judged
from langchain_gorilla.tuning.questions import (
    TEST,
    TRAIN,
    OwnQuestions,
    general_rows,
    write_questions,
)
from langchain_gorilla.tuning.rows import read_tuning_rows, write_tuning_rows
from langchain_gorilla.tuning.training import TuningOptions, tune

V2 = format_named("openfunctions-v2")
KEPT = 2
"""Phrases of each tool that are not trained on."""


def _share(right: Sequence[bool]) -> str:
    low, high = interval(sum(right), len(right))
    return f"{sum(right) / len(right):.2f} ({low:.2f}-{high:.2f})"


def in_kept_words(
    tools: Sequence[Any], phrases: Mapping[str, Sequence[str]], count: int
) -> Iterator[Mapping[str, Any]]:
    """Give questions for one call in the words of phrases, beside other tools."""
    patterns = {name: [_pattern(one) for one in several] for name, several in phrases.items()}
    found = 0
    for row in OwnQuestions(function_set(tools), phrases=phrases, seed=2).rows(20 * count):
        asked, answer = row["messages"]
        called = [call["function"]["name"] for call in answer.get("tool_calls") or ()]
        if len(called) == 1 and any(one.search(asked["content"]) for one in patterns[called[0]]):
            yield row
            found += 1
            if found == count:
                return


def _pattern(template: str) -> re.Pattern[str]:
    """Match the questions of a template, small talk around them and all."""
    plain = re.sub(r"\[[^\]]*\]", "", template).strip("?.! ")
    parts = (re.escape(part) for part in re.split(r"\{[^}]*\}", plain))
    return re.compile(".+".join(parts), re.IGNORECASE)


def main() -> None:
    """Tune, ask before and after, print the table."""
    parser = argparse.ArgumentParser(description="What tuning on one's own tools does.")
    parser.add_argument("--count", type=int, default=1200, help="questions for the tools")
    parser.add_argument("--general", type=int, default=500, help="rows of the bundled training")
    parser.add_argument("--epochs", type=float, default=1.0)
    parser.add_argument("--control", action="store_true", help="train on other tools alone")
    parser.add_argument("--out", type=Path, help="keep rows and model here")
    options = parser.parse_args()
    for name, least in (("count", 10), ("general", 0)):
        if (number := getattr(options, name)) < least:
            parser.error(f"--{name} is {number}. Expected: {least} or more.")
    chosen = TuningOptions(epochs=options.epochs)
    check_outputs(folder=options.out)
    out = options.out or Path(tempfile.mkdtemp())
    given = json.loads((FOLDER / "prompts.json").read_text("utf-8"))
    phrases = json.loads((FOLDER / "phrases.json").read_text("utf-8"))
    taught = {name: several[:-KEPT] for name, several in phrases.items()}
    kept = {name: several[-KEPT:] for name, several in phrases.items()}
    made = write_questions(
        given["tools"], out, count=options.count, general=options.general, phrases=taught
    )
    if options.control:
        # Conversations of several turns are longer: about as many tokens.
        write_tuning_rows(out / TRAIN, general_rows(made.train * 3 // 5, 1))
    write_tuning_rows(out / "kept.jsonl", in_kept_words(given["tools"], kept, 150))
    rows, test, words = (read_tuning_rows(out / name)[0] for name in (TRAIN, TEST, "kept.jsonl"))
    asked = {message.text for row in rows for message in row.messages}
    known = [one["question"] for one in given["prompts"] if one["question"] in asked]
    print(f"{len(rows)} rows to learn from; of the prompts, those among them: {known}")
    print(tune(rows, model="bundled", format_=V2, out=out / "model", options=chosen))
    print("| | kept phrases | made questions | prompts | conversations |\n|---|---|---|---|---|")
    after = "control" if options.control else "tuned"
    for name, folder in (("before", bundled.path()), (after, out / "model")):
        model = ChatGorilla(
            model=str(folder), format=V2, temperature=0, lexical_weight=BUNDLED_WEIGHT
        )
        cells = [
            [one.right for one in judged(model, words, name=f"kept phrases, {name}")],
            [one.right for one in judged(model, test, name=f"made questions, {name}")],
            [one["right"] for one in answer_prompts(model, f"prompts, {name}")],
            [one["right"] for one in hold_conversations(model)],
        ]
        print(f"| {name} | {' | '.join(map(_share, cells))} |")


if __name__ == "__main__":
    run_command(main)

"""Measure the model: own held-out concepts, whole conversations, the Berkeley cases.

    python -m langchain_gorilla.training.evaluate --own 60
    python -m langchain_gorilla.training.evaluate --cases bfcl_gold.jsonl bfcl_irrelevance.jsonl

Answers are greedy; ``--constrained`` holds their calls to the functions, as ``ChatGorilla`` does
by default; ``--lexical-weight 2`` is its default for the bundled model, 0 the model alone. Berkeley's
cases are judged by their checker (``evaluation.bfcl_checker``), their prompts are this training's. They
are never trained on, and these figures are for following a training, not for quoting beside a
leaderboard.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from tqdm import tqdm  # type: ignore[import-untyped]

from langchain_gorilla import bundled
from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.engines.locating import ModelSource, locate
from langchain_gorilla.evaluation.bfcl_checker import UncheckableError, check_calls
from langchain_gorilla.evaluation.cases import Case as BfclCase
from langchain_gorilla.evaluation.cases import read_cases
from langchain_gorilla.evaluation.outputs import check_outputs, write_text
from langchain_gorilla.evaluation.printing import print_problems, run_command
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
from langchain_gorilla.parsing.python_calls import collect, parse
from langchain_gorilla.training import dataset
from langchain_gorilla.training.conversations import Conversations
from langchain_gorilla.training.generate import Generator, Prompt, constrained_answers
from langchain_gorilla.training.prompts import Conversation, Turn, prompt_before, write_call
from langchain_gorilla.training.requests import Requests
from langchain_gorilla.training.values import Values

OWN_KINDS = (
    "simple",
    "multiple",
    "parallel",
    "parallel_multiple",
    "irrelevance",
    "chat",
    "answer",
    "chain",
    "error",
    "remaining",
    "structured",
)
_OF_SEVERAL_TURNS = ("answer", "chain", "error", "remaining", "structured")
_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}


@dataclass(frozen=True)
class Case:
    """One prompt and what is expected.

    Attributes:
        group: The row of the table that it counts in.
        prompt: The whole prompt.
        expected: The expected answer as text (own cases).
        possible: Berkeley's ``possible_answer``, None for own cases; [] where no call is right.
        functions: The documents of the offered functions, as they came.
        schema: Of the JSON that the answer's text has to be; None for free text.
    """

    group: str
    prompt: str
    expected: str = ""
    possible: Sequence[Mapping[str, Mapping[str, Sequence[JSONValue]]]] | None = None
    functions: Sequence[Mapping[str, Any]] = ()
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """A case, its answer, and how that was judged."""

    case: Case
    answer: str
    right: bool
    names_right: bool


def read_calls(text: str) -> list[FunctionCall] | None:
    """Read the calls of an answer; None where one of them cannot be read."""
    answer = collect(parse(text, OpenFunctionsV2.syntax))
    calls = [call for call in answer.calls if isinstance(call, FunctionCall)]
    return calls if len(calls) == len(answer.calls) else None


def own_cases(seed: int, kinds: Sequence[str], count: int, *, held_out: bool) -> Iterator[Case]:
    """Make own cases; in conversations every learned response is a case.

    Args:
        seed: Of the cases; training uses other shards.
        kinds: Kinds of conversations.
        count: Conversations of each kind.
        held_out: From held-out concepts, else from those of the training.
    """
    conversations = dataset.unseen(seed, kinds, count, held_out=held_out)
    for one in conversations:
        # Look-ups and small talk mostly offer what is trained on.
        name = "held-out" if held_out and one.kind not in ("chain", "chat") else "own"
        for index, turn in enumerate(one.turns):
            if turn.learned and (one.kind in _OF_SEVERAL_TURNS or not index):
                step = _step(one, turn)
                yield Case(
                    f"{name} {one.kind}{step}",
                    prompt_before(one, index),
                    turn.response,
                    functions=one.functions,
                    schema=one.schema,
                )


def _step(conversation: Conversation, turn: Turn) -> str:
    if len(conversation.turns) == 1 or conversation.kind == "chat":
        return ""
    calls = turn.response.startswith("<<function>>")
    if turn.question is not None:
        return ": first call" if calls else ": reply"
    return ": next call" if calls else ": answer"


def berkeley_cases(files: Sequence[Path], limit: int, seed: int) -> Iterator[Case]:
    """Read cases as ``evaluation.cases`` does, Python and single-turn only.

    Args:
        files: BFCL's question files, or rows with answers such as ``bfcl_gold.jsonl``.
        limit: At most so many of each category, drawn by ``seed``; 0 for all.
        seed: Of the draw.

    Raises:
        UnreadableFileError: There is no such file; a row that cannot be used is said and left out.
    """
    every_case, problems = read_cases(files)
    print_problems(problems)
    by_category: dict[str, list[BfclCase]] = {}
    for case in every_case:
        if case.language == "python" and case.category != "live_relevance":
            by_category.setdefault(case.category, []).append(case)
    for category, found in by_category.items():
        if limit and len(found) > limit:
            found = Random(seed).sample(found, limit)
        for one in found:
            documents = tuple(_document(function) for function in one.functions)
            question = "\n".join(turn["content"] for turn in one.messages if turn["role"] == "user")
            system = "\n".join(turn["content"] for turn in one.messages if turn["role"] == "system")
            asked = Conversation(category, documents, (Turn(question, (), ""),), system)
            yield Case(
                f"bfcl {category}",
                prompt_before(asked, 0),
                possible=one.possible_answers,
                functions=one.functions,
            )


def _document(function: Mapping[str, Any]) -> dict[str, Any]:
    """Write a function, Berkeley's too, in JSON Schema's own type names."""
    return {
        "name": function["name"],
        "description": function.get("description", ""),
        "parameters": _schema(function["parameters"]),
    }


def _schema(schema: Any) -> Any:
    if not isinstance(schema, Mapping):
        return schema
    out = {}
    for key, value in schema.items():
        if key == "type":
            out[key] = _TYPES.get(value, value) if isinstance(value, str) else value
        elif key == "properties":
            out[key] = {name: _schema(one) for name, one in value.items()}
        elif key == "items":
            out[key] = _schema(value)
        else:
            out[key] = value
    return out


def judge(case: Case, answer: str) -> Outcome:
    """Judge one answer."""
    if not answer:  # The prompt was too long, or the model said nothing.
        return Outcome(case, answer, False, False)
    if case.possible is None:
        if case.schema is not None and not case.expected.startswith("<<function>>"):
            right = _read_json(answer) == _read_json(case.expected)
            return Outcome(case, answer, right, right)
        if not case.expected.startswith("<<function>>"):
            right = " ".join(answer.split()) == " ".join(case.expected.split())
            return Outcome(case, answer, right, right)
        expected, calls = read_calls(case.expected) or [], read_calls(answer)
        right = _written(calls or []) == _written(expected)
        return Outcome(case, answer, right, _names(calls) == _names(expected))
    calls = read_calls(answer)
    if not case.possible:
        return Outcome(case, answer, calls == [], calls == [])
    names = sorted(name for possible in case.possible for name in possible)
    return Outcome(case, answer, _fits(calls, case), _names(calls) == names)


def _read_json(text: str) -> Any:
    """Read JSON; what is none stays text, so that it equals no JSON object."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _written(calls: Sequence[FunctionCall]) -> list[str]:
    """Write calls whose order, and that of their arguments, is of no account."""
    return sorted(
        write_call(replace(one, arguments=dict(sorted(one.arguments.items())))) for one in calls
    )


def _names(calls: Sequence[FunctionCall] | None) -> list[str]:
    return sorted(call.name for call in calls or ())


def _fits(calls: Sequence[FunctionCall] | None, case: Case) -> bool:
    """Tell whether Berkeley's checker finds calls right."""
    try:
        return (
            calls is not None
            and check_calls(
                case.functions,
                [{one.name: one.arguments} for one in calls],
                case.possible or (),
                language="python",
                category=case.group,
            ).valid
        )
    except UncheckableError:
        return False


def interval(right: int, count: int) -> tuple[float, float]:
    """Give the 95% Wilson interval of a share."""
    z, share = 1.96, right / count
    middle = share + z * z / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def table(outcomes: Sequence[Outcome]) -> str:
    """Write the shares by group as a Markdown table."""
    groups: dict[str, list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault(one.case.group, []).append(one)
    lines = ["| cases | n | right | 95% | names right |", "|---|---|---|---|---|"]
    for group, found in groups.items():
        right = sum(one.right for one in found)
        low, high = interval(right, len(found))
        names = sum(one.names_right for one in found) / len(found)
        share = f"{right / len(found):.3f} | {low:.2f}-{high:.2f} | {names:.3f}"
        lines.append(f"| {group} | {len(found)} | {share} |")
    return "\n".join(lines)


def _constrained(folder: Path, cases: Sequence[Case], *, compared: int, weight: float) -> list[str]:
    prompts = (
        Prompt(one.prompt, [_document(each) for each in one.functions], one.schema) for one in cases
    )
    found = constrained_answers(folder, prompts, compared=compared, weight=weight)
    return list(tqdm(found, total=len(cases), leave=False))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and print the table."""
    parser = argparse.ArgumentParser(description="Measure the bundled model.")
    parser.add_argument("--model", type=Path, help="folder of the model (default: the bundled)")
    parser.add_argument("--own", type=int, default=0, help="own conversations of each kind")
    parser.add_argument("--kinds", nargs="+", default=list(OWN_KINDS), help="kinds of own cases")
    parser.add_argument("--seen", action="store_true", help="own cases of trained concepts too")
    parser.add_argument("--cases", nargs="*", type=Path, default=[], help="Berkeley cases")
    parser.add_argument("--constrained", action="store_true", help="hold calls to the functions")
    parser.add_argument("--compared", type=int, default=1, help="ChatGorilla's compare_functions")
    parser.add_argument("--lexical-weight", type=float, default=0.0, help="ChatGorilla's")
    parser.add_argument("--limit", type=int, default=0, help="Berkeley cases of each category")
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file for every answer, as JSON lines")
    chosen = parser.parse_args(arguments)
    for name, least in (("own", 0), ("limit", 0), ("compared", 1), ("threads", 1)):
        if getattr(chosen, name) < least:
            parser.error(f"--{name} is {getattr(chosen, name)}. Expected: {least} or more.")
    if chosen.compared > 1 and not chosen.constrained:
        parser.error("--compared needs --constrained: calls are compared within their grammar.")
    if not (chosen.own or chosen.cases):
        parser.error("There is nothing to measure: give --own, --cases or both.")
    known = Conversations(Requests(Values(Random(chosen.seed)))).kinds
    if unknown := [kind for kind in chosen.kinds if kind not in known]:
        parser.error(f"--kinds knows no {unknown[0]!r}. Known: {', '.join(known)}.")
    if chosen.lexical_weight and not chosen.constrained:
        parser.error("--lexical-weight needs --constrained: other answers are plain generate's.")
    check_outputs(json_file=chosen.out)
    folder = chosen.model.absolute() if chosen.model else bundled.path()
    locate(ModelSource(model=str(folder)))
    torch.set_num_threads(chosen.threads)
    cases: list[Case] = []
    if chosen.own:
        cases += own_cases(chosen.seed, chosen.kinds, chosen.own, held_out=True)
        if chosen.seen:
            cases += own_cases(chosen.seed, chosen.kinds, chosen.own, held_out=False)
    cases += berkeley_cases(chosen.cases, chosen.limit, chosen.seed)
    answers = (
        _constrained(folder, cases, compared=chosen.compared, weight=chosen.lexical_weight)
        if chosen.constrained
        else Generator(folder).answer([one.prompt for one in cases])
    )
    outcomes = [judge(case, answer) for case, answer in zip(cases, answers, strict=True)]
    sys.stdout.write(table(outcomes) + "\n")
    if chosen.out:
        rows = [
            {
                "group": one.case.group,
                "right": one.right,
                "prompt": one.case.prompt[-300:],
                "answer": one.answer,
                "expected": one.case.expected or one.case.possible,
            }
            for one in outcomes
        ]
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
        write_text(chosen.out, "".join(lines))


if __name__ == "__main__":
    run_command(main)

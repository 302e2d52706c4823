"""Who names the right function: the model, BM25 over the offered functions, or both.

    python benchmarks/naming.py [--model DIR] [--own 120] [--cases FILE ...] [--limit N]

Questions for one of several functions: own ones of held-out and of trained concepts, and those of
Berkeley's categories ``multiple`` and ``live_multiple`` where files are given. The model's choice
is the name that it finds most probable after the mark of a call, without what follows; BM25's is
the function with the most points for the question (``retrieval.lexical``); both together is
``lexical_weight``, whose points are bounded (``evidence.MOST_WORDS``); names are scored whole here,
in an answer token by token (``engines.weighing``). Prompts that do not fit
the model are left out.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from langchain_gorilla import bundled
from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.evidence import lexical_evidence
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
from langchain_gorilla.functions import function_set
from langchain_gorilla.retrieval.lexical import LexicalIndex
from langchain_gorilla.training.evaluate import (
    Case,
    berkeley_cases,
    interval,
    own_cases,
    read_calls,
)
from langchain_gorilla.training.generate import Generator
from langchain_gorilla.training.prompts import CALL, RESPONSE

WEIGHTS = (1.0, 2.0, 3.0, 5.0)
CONTEXT = 2048


class Names:
    """How probable a model finds names."""

    def __init__(self, folder: Path) -> None:
        """Load the model."""
        loaded = Generator(folder)
        self._model, self._tokenizer = loaded.model, loaded.tokenizer

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        return ids

    @torch.no_grad()
    def shares(self, prompt: str, names: Sequence[str]) -> list[float] | None:
        """Give the log-probability of each name behind a prompt; None where that is too long."""
        begun = self._ids(prompt + CALL)
        written = [self._ids(f"{name}(") for name in names]
        if len(begun) + max(map(len, written)) > CONTEXT:
            return None
        found = []
        for ids in written:
            scores = self._model(
                torch.tensor([begun + ids[:-1]]), logits_to_keep=len(ids), use_cache=False
            ).logits[0]
            found.append(float(scores.log_softmax(-1)[range(len(ids)), ids].sum()))
        return found


def asked(chosen: argparse.Namespace) -> Iterator[tuple[Case, str]]:
    """Give the questions, each with the name of its function."""
    for held_out in (True, False):
        for case in own_cases(2, ["multiple"], chosen.own, held_out=held_out):
            calls = read_calls(case.expected) or []
            yield case, calls[0].name
    for case in berkeley_cases(chosen.cases, chosen.limit, 2):
        if case.group in ("bfcl multiple", "bfcl live_multiple") and case.possible:
            yield case, next(iter(case.possible[0]))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=bundled.path(), help="folder of the model")
    parser.add_argument("--own", type=int, default=120, help="own questions, held-out and trained")
    parser.add_argument("--cases", nargs="*", type=Path, default=[], help="Berkeley cases")
    parser.add_argument("--limit", type=int, default=120, help="Berkeley cases of a category")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    model = Names(chosen.model)
    right: dict[str, list[list[bool]]] = {}
    for case, wanted in tqdm(list(asked(chosen)), leave=False):
        functions = function_set(case.functions)
        names = [one.name for one in functions.written]
        shares = model.shares(case.prompt, names)
        if shares is None or len(names) < 2:
            continue
        question = case.prompt.rpartition("<<question>>")[2].removesuffix(RESPONSE)
        index = LexicalIndex(CatalogTool(one.name, one) for one in functions.written)
        found = index.points(question)
        scored = [shares, [found.get(name, 0.0) for name in names]]
        for weight in WEIGHTS:
            spoken = lexical_evidence(
                OpenFunctionsV2.syntax, functions.written, question, weight=weight
            )
            nats = {} if spoken is None else spoken.nats("")
            pairs = zip(names, shares, strict=True)
            scored.append([share + nats.get(name, 0.0) for name, share in pairs])
        best = [names[scores.index(max(scores))] for scores in scored]
        right.setdefault(case.group, []).append([one == wanted for one in best])
    heads = ("the model", "BM25", *(f"both, weight {weight:g}" for weight in WEIGHTS))
    sys.stdout.write(f"| right names | n | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 2)}\n")
    for group, rows in right.items():
        cells = []
        for column in zip(*rows, strict=True):
            low, high = interval(sum(column), len(column))
            cells.append(f"{sum(column) / len(column):.2f} ({low:.2f}-{high:.2f})")
        sys.stdout.write(f"| {group} | {len(rows)} | {' | '.join(cells)} |\n")


if __name__ == "__main__":
    run_command(main)

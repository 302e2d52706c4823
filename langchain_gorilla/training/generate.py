"""Greedy answers of a model to many prompts, for measuring: at once, or held to functions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm  # type: ignore[import-untyped]
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from langchain_gorilla.binding import Demand, ResponseFormat
from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.constraining import answer_constraint, call_fork, compared_functions
from langchain_gorilla.engines.base import GenerationOptions, TextPiece
from langchain_gorilla.engines.locating import ModelSource, locate
from langchain_gorilla.engines.token_sequence import cache_argument
from langchain_gorilla.engines.transformers import load_engine
from langchain_gorilla.evidence import lexical_evidence
from langchain_gorilla.formats.base import EOS, make_prompt
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
from langchain_gorilla.functions import function_set
from langchain_gorilla.parsing.python_calls import collect, parse
from langchain_gorilla.training.prompts import END, RESPONSE, RESULTS_HEAD

LONGEST_PROMPT = 1900
"""Tokens; a longer prompt is answered with nothing."""


@dataclass(frozen=True)
class Prompt:
    """A prompt and what its answer is held to.

    Attributes:
        text: The whole prompt.
        functions: The documents of the functions that it offers.
        schema: Of the JSON that takes the place of the answer's text; None for free text.
    """

    text: str
    functions: Sequence[Mapping[str, Any]] = ()
    schema: Mapping[str, Any] | None = None


class Generator:
    """An exported model that answers prompts, the likeliest token each time."""

    def __init__(self, folder: Path) -> None:
        """Load the model and its tokenizer in float32.

        Raises:
            MissingModelError: There is no such folder, or no model in it.
        """
        path, _ = locate(ModelSource(model=str(folder.absolute())))
        self.model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        self.model.eval()  # type: ignore[no-untyped-call]
        self.tokenizer: Any = AutoTokenizer.from_pretrained(path)
        self.end = self.tokenizer.eos_token_id

    @torch.no_grad()
    def answer(self, prompts: Sequence[str], *, rows: int = 16, longest: int = 160) -> list[str]:
        """Answer every prompt.

        Args:
            prompts: Whole prompts; those of more than ``LONGEST_PROMPT`` tokens get "".
            rows: How many are answered side by side.
            longest: Tokens of an answer at most.

        Returns:
            The answers in the order of the prompts, without the end token.
        """
        encoded = [self.tokenizer.encode(text, add_special_tokens=False) for text in prompts]
        order = [place for place, ids in enumerate(encoded) if len(ids) <= LONGEST_PROMPT]
        order.sort(key=lambda place: len(encoded[place]))
        answers = [""] * len(prompts)
        for start in tqdm(range(0, len(order), rows), leave=False):
            places = order[start : start + rows]
            found = self._together([encoded[place] for place in places], longest)
            for place, ids in zip(places, found, strict=True):
                answers[place] = self.tokenizer.decode(ids, skip_special_tokens=False)
        return answers

    def _together(self, encoded: Sequence[Sequence[int]], longest: int) -> list[list[int]]:
        """Answer some prompts side by side, padded on the left."""
        width = max(map(len, encoded))
        ids = torch.zeros(len(encoded), width, dtype=torch.long)
        mask = torch.zeros(len(encoded), width, dtype=torch.long)
        for row, tokens in enumerate(encoded):
            ids[row, width - len(tokens) :] = torch.tensor(tokens)
            mask[row, width - len(tokens) :] = 1
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        answers: list[list[int]] = [[] for _ in encoded]
        open_rows, cache = set(range(len(encoded))), DynamicCache(config=self.model.config)
        for _ in range(longest):
            out = self.model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=positions,
                use_cache=True,
                logits_to_keep=1,
                **{cache_argument(self.model): cache},
            )
            chosen = out.logits[:, -1].argmax(-1)
            for row in sorted(open_rows):
                token = int(chosen[row])
                if token == self.end:
                    open_rows.discard(row)
                else:
                    answers[row].append(token)
            if not open_rows:
                break
            ids, positions = chosen[:, None], positions[:, -1:] + 1
            mask = torch.cat([mask, torch.ones(len(encoded), 1, dtype=torch.long)], 1)
        return answers


def constrained_answers(
    folder: Path,
    prompts: Iterable[Prompt],
    *,
    compared: int = 1,
    weight: float = 0.0,
    longest: int = 160,
) -> Iterator[str]:
    """Answer prompts one after another, held to functions and schemas, as ``ChatGorilla`` does.

    Args:
        folder: Of the model.
        prompts: Those of more than ``LONGEST_PROMPT`` tokens get "".
        compared: As ``compare_functions`` of ``ChatGorilla``.
        weight: As ``lexical_weight`` of ``ChatGorilla``.
        longest: Tokens of an answer at most.
    """
    engine, format_ = load_engine(folder), OpenFunctionsV2()
    options = GenerationOptions(
        max_tokens=longest, markers=(OpenFunctionsV2.syntax.opening,), whole=True
    )
    for one in prompts:
        prompt = make_prompt([part for text in one.text.split(END) for part in (text, EOS)][:-1])
        if len(engine.encode(prompt)) > LONGEST_PROMPT:
            yield ""
            continue
        functions = function_set(one.functions)
        demand = Demand(response=None if one.schema is None else ResponseFormat(one.schema))
        constraint = answer_constraint(format_, functions, demand)
        question, made = _asked(one.text)
        chosen = replace(
            options,
            fork=call_fork(format_, functions, demand.choice, constraint, least=None),
            compared=compared_functions(
                format_, functions, demand.choice, constraint, most=compared
            ),
            evidence=lexical_evidence(
                OpenFunctionsV2.syntax,
                functions.written,
                question,
                made,
                weight=0.0 if demand.response else weight,
            ),
        )
        events = engine.stream(prompt, chosen, constraint=constraint)
        yield "".join(event.text for event in events if isinstance(event, TextPiece))


def _asked(prompt: str) -> tuple[str, list[FunctionCall]]:
    """Give the last question of a prompt that brings no results, and the calls made since."""
    question, made = "", ""
    for part in prompt.split("<<question>>")[1:]:
        asked, _, answer = part.partition(RESPONSE)
        if not asked.startswith(RESULTS_HEAD):
            question, made = asked, ""
        made += answer.partition(f"\n{END}")[0] if f"\n{END}" in answer else ""
    calls = collect(parse(made, OpenFunctionsV2.syntax)).calls if made else ()
    return question, [one for one in calls if isinstance(one, FunctionCall)]

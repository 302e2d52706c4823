"""Questions for calls of one's own functions, made of their documents.

Gorilla's recipe has a large model write what people ask of each API, and trains with what a
retriever finds beside it, so that the model judges documents instead of trusting them. Here no
large model is at hand. A function is asked for in the words of its own document, in the phrasings
of the bundled model's training, for one value or several, alone or together with another; values
are drawn by what the parameter takes (``kinds``). Among the functions that are offered with it are
those that BM25 finds nearest to it, which is what a retriever would offer, and part of the
questions are for none of them. People's own words teach more: ``phrases`` takes templates such as
``"Is it raining in {city}?"``, and rows of your own can be added to the files.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from tqdm import tqdm  # type: ignore[import-untyped]

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.catalog import CatalogTool
from langchain_gorilla.errors import GorillaError
from langchain_gorilla.functions import FunctionSet, function_set
from langchain_gorilla.retrieval.lexical import LexicalIndex
from langchain_gorilla.sources.base import Refusal
from langchain_gorilla.training import dataset
from langchain_gorilla.training.concepts import Concept, QuestionWriter
from langchain_gorilla.training.conversations import Conversations
from langchain_gorilla.training.documents import OfferedFunction, Slot
from langchain_gorilla.training.evaluate import read_calls
from langchain_gorilla.training.phrasing import commands, upper_first
from langchain_gorilla.training.prompts import Conversation
from langchain_gorilla.training.requests import Requests
from langchain_gorilla.training.values import Values
from langchain_gorilla.tuning.kinds import slots_of
from langchain_gorilla.tuning.phrases import VALUE, check_values, checked_phrases
from langchain_gorilla.tuning.rows import write_tuning_rows, written
from langchain_gorilla.validation import InvalidCall, validate_call

TRAIN, TEST = "train.jsonl", "test.jsonl"
TEST_EVERY = 10
"""Every tenth question is kept for measuring."""

SHARES = {
    "simple": 0.2,
    "multiple": 0.25,
    "parallel": 0.25,
    "parallel_multiple": 0.15,
    "irrelevance": 0.4,
}
"""How often each kind of question is tried. Two in three that no function should fit share words with
one after all, and are dropped: a seventh of the questions is of that kind."""

_MOST_REFUSED = 0.3

_TOGETHER = 6
"""Questions that are asked of the same offered functions."""

_FRUITLESS = 100
"""So many times nothing new was found to ask: there is no more."""

_MISFITS = 10
"""So many calls of a function did not fit its schema, and none did: none will."""

_OPTIONAL = 3
"""Optional parameters that the questions of one prompt speak of."""

_TEMPLATES = 6
"""Made-up question templates of each function in a prompt."""


class NoQuestionsError(GorillaError, ValueError):
    """There is no tool that a question can be made up for."""


@dataclass(frozen=True)
class Written:
    """What ``write_questions`` wrote.

    Attributes:
        train: Rows to learn from.
        test: Rows to measure by, of the same functions.
        refusals: Functions that nothing is asked about, each with the reason.
    """

    train: int
    test: int
    refusals: tuple[Refusal, ...]


def write_questions(
    tools: Iterable[Any],
    folder: Path,
    *,
    count: int = 1000,
    general: int = 0,
    phrases: Mapping[str, Sequence[str]] | None = None,
    seed: int = 1,
) -> Written:
    """Write questions for calls of tools, as ``train.jsonl`` and ``test.jsonl``.

    Args:
        tools: In any form that ``bind_tools`` takes.
        folder: Made where it is missing; both files are written anew.
        count: Questions, at most; those that come twice are left out.
        general: Rows of the bundled model's own training beside them, to learn from only: so that
            a small model keeps small talk, results and other functions while it learns yours.
        phrases: Tool name to question templates, with ``{parameter}`` for values,
            ``[with {parameter}]`` around what may be left out, and ``[at once @urgent=True]`` for
            words that imply a boolean.
        seed: The same seed gives the same questions.

    Raises:
        InvalidFunctionError: A tool that cannot be offered to a model.
        DuplicateFunctionError: Two tools have one name.
        PhrasesError: Phrases for no such tool, for a parameter that it does not have or that no
            question can speak of, without one that it needs, or with brackets that do not pair.
        NoQuestionsError: Nothing can be asked of any tool; the files stay as they are.
        UnwritableOutputError: A file cannot be written.
    """
    functions = function_set(tools)
    asker = OwnQuestions(functions, phrases=phrases or {}, seed=seed)
    train: list[Mapping[str, Any]] = []
    test: list[Mapping[str, Any]] = []
    for place, row in enumerate(tqdm(asker.rows(count), total=count, unit="question"), 1):
        (test if place % TEST_EVERY == 0 else train).append(row)
    if not train:
        raise NoQuestionsError(
            f"Nothing can be asked of these {len(functions.names)} tools"
            f"{''.join(f' ({one})' for one in asker.refusals[:1])}. Give other sources, or write "
            "rows of your own."
        )
    train += general_rows(general, seed)
    Random(seed).shuffle(train)
    return Written(
        write_tuning_rows(folder / TRAIN, train),
        write_tuning_rows(folder / TEST, test),
        asker.refusals,
    )


class OwnQuestions:
    """Asks for calls of some functions.

    Those that nothing can be asked about are offered beside the others all the same.
    """

    def __init__(
        self, functions: FunctionSet, *, phrases: Mapping[str, Sequence[str]], seed: int
    ) -> None:
        """Prepare the functions; the other arguments as for ``write_questions``."""
        self.functions = functions
        self.rng = Random(f"own {seed}")
        values = Values(self.rng)
        self.conversations = Conversations(Requests(values))
        self._phrases = checked_phrases(functions, phrases)
        self._written = {one.name: one for one in functions.written}
        self._slots: dict[str, tuple[Slot, ...]] = {}
        self._unasked: list[Refusal] = []
        for function in functions.written:
            slots = slots_of(values, function)
            if isinstance(slots, str):
                self._unasked.append(Refusal(function.name, slots))
            else:
                self._slots[function.name] = slots
                for template in self._phrases.get(function.name, ()):
                    check_values(template, slots)
        self._called: set[str] = set()
        self._misfits: Counter[str] = Counter()
        self._index = LexicalIndex(CatalogTool(one.name, one) for one in functions.written)

    def rows(self, count: int) -> Iterator[dict[str, Any]]:
        """Give up to ``count`` rows, no question twice; fewer where there are no more to ask."""
        asked: set[str] = set()
        refused = fruitless = 0
        while self._slots and len(asked) < count and fruitless < _FRUITLESS:
            before = len(asked)
            for one in self.conversations.family(SHARES, _TOGETHER, offered=self._together()):
                question, calls = one.turns[0].question or "", read_calls(one.turns[0].response)
                if question in asked or len(asked) == count or not self._may_run(calls or ()):
                    continue
                self._called.update(call.name for call in calls or ())
                # Where little can be asked for, refusals would be most of what is learned.
                if not calls and refused > _MOST_REFUSED * (len(asked) + 1):
                    continue
                refused += not calls
                asked.add(question)
                yield _row(one, self.functions)
            fruitless = fruitless + 1 if len(asked) == before else 0

    def _together(self) -> list[OfferedFunction]:
        """Choose what is offered together: a function and those that BM25 finds nearest to it."""
        name = self.rng.choice(list(self._slots))
        others = [one for one in self._written if one != name]
        most = min(len(others), self.rng.choice([0, 1, 1, 2, 2, 3, 4, 5]))
        text = f"{self._written[name].description} {name}"
        near = [hit.name for hit in self._index.search(text, k=most + 1).hits if hit.name != name]
        far = [one for one in others if one not in near]
        self.rng.shuffle(far)
        # Mostly what is easily confused, and always something that is not.
        kept = near[: max(1, most - 1)] if most else []
        names = [name, *kept, *far][: most + 1]
        self.rng.shuffle(names)
        return [self._offer(one) for one in names]

    def _offer(self, name: str) -> OfferedFunction:
        """Offer a function; of many optional parameters, questions speak of a few at a time."""
        function, phrases = self._written[name], self._phrases.get(name, ())
        slots = self._slots.get(name, ())
        optional = [one.name for one in slots if one.parameter.optional]
        told = {*self.rng.sample(optional, min(len(optional), _OPTIONAL))}
        told |= {key for phrase in phrases for key in VALUE.findall(phrase)}
        slots = tuple(one for one in slots if not one.parameter.optional or one.name in told)
        concept = _concept(self.rng, name, function.description, slots, phrases)
        return OfferedFunction(concept, name, slots, function.document())

    def _may_run(self, calls: Sequence[FunctionCall]) -> bool:
        """Tell whether every call fits its schema: what was drawn may break a pattern or bound."""
        wrong = [
            call.name
            for call in calls
            if isinstance(validate_call(call, self.functions), InvalidCall)
        ]
        self._misfits.update(wrong)
        return not wrong

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Functions that nothing is asked about, as far as is known after the rows so far."""
        hopeless = [
            name
            for name, count in self._misfits.items()
            if count > _MISFITS and name in self._slots and name not in self._called
        ]
        reason = (
            "None of the values that were drawn fits its schema. Give its texts two examples or "
            "more, or write rows of your own for it."
        )
        return (*self._unasked, *(Refusal(name, reason) for name in hopeless))


def _concept(
    rng: Random, name: str, description: str, slots: Sequence[Slot], phrases: Sequence[str]
) -> Concept:
    """Write a function as a concept of the training: in which words it is asked for."""
    request = _request(name, description)
    return Concept(
        f"own {name}",
        (name,),
        (request,),
        tuple(slot.parameter for slot in slots),
        # Where people's own words are given, they are half of the questions.
        (*phrases, *_templates(rng, name, request, slots, len(phrases) or _TEMPLATES)),
    )


def _request(name: str, description: str) -> str:
    """Give the first sentence of a description as a request: ``Returns the time.`` as ``Return``.

    A description that is none, such as "GNU tar saves many files", tells what to use. Brackets,
    which mean something in a template, are left out.
    """
    first = re.split(r"(?<=[.!?])\s|\n", description.strip())[0].rstrip(".")
    first = re.sub(r"[][{}]", "", first)
    verb, _, rest = upper_first(first).partition(" ")
    found = next((one for one in (verb, verb[:-1], verb[:-2]) if commands(one)), None)
    return f"{found} {rest}".strip() if found else f"Use {_as_words(name)}"


def _as_words(name: str) -> str:
    """``mailbox.findMail`` to ``mailbox find mail``; a name without words stays."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[._]+", " ", name).strip().lower() or name


def _templates(
    rng: Random, name: str, request: str, slots: Sequence[Slot], count: int
) -> Iterator[str]:
    """Write templates from a function's own words."""
    write = QuestionWriter()
    # "Get the weather in a city" is asked for "Get the weather in Rome", not "in a city in Rome".
    short = re.split(r",| (?:for|of|in|from|between|on|by|at|to|with|as|about|that) ", request)[0]
    leads = [request, short, short, _as_words(name).capitalize()]
    told = [slot.parameter for slot in slots if slot.json_type != "boolean"]
    flags = [slot.parameter for slot in slots if slot.json_type == "boolean"]
    for _ in range(count):
        text = write(rng, rng.choice(leads), told)
        for one in flags:
            words = one.words
            says, truth = rng.choice(
                [(f", {words}", True), (f" with {words}", True), (f" without {words}", False)]
            )
            at = len(text) - 1 if text.endswith("?") else len(text)
            text = f"{text[:at]}[{says} @{one.key}={truth}]{text[at:]}"
        yield text


def general_rows(count: int, seed: int) -> list[dict[str, Any]]:
    """Give ``count`` conversations of the bundled model's own training, as rows."""
    rows: list[dict[str, Any]] = []
    index = 0
    while len(rows) < count:
        for family in dataset.shard(seed, index):
            for one in family[:1]:
                functions = function_set(one.functions)
                rows.append(_row(one, functions))
        index += 1
    return rows[:count]


def _row(conversation: Conversation, functions: FunctionSet) -> dict[str, Any]:
    """Write a conversation of the training, whose calls have written names, as a row."""
    offered = [one["name"] for one in conversation.functions]
    found = [functions.find(name) for name in offered]
    messages: list[BaseMessage] = []
    if conversation.system:
        messages.append(SystemMessage(conversation.system))
    shown = []
    ids: dict[str, list[str]] = {}
    number = 0
    for turn in conversation.turns:
        if turn.question is None:
            for result in turn.results:
                status = "error" if result.is_error else "success"
                call_id = ids[_key(result.call)].pop(0)
                messages.append(ToolMessage(result.content, tool_call_id=call_id, status=status))
        else:
            messages.append(HumanMessage(turn.question))
        if not turn.learned:
            shown.append(len(messages))
        calls = read_calls(turn.response) or []
        made = []
        for call in calls:
            number += 1
            true = functions.as_true(call)
            made.append({"name": true.name, "args": dict(true.arguments), "id": f"call_{number}"})
            ids.setdefault(_key(call), []).append(f"call_{number}")
        messages.append(AIMessage("" if made else turn.response, tool_calls=made))
    row = written(messages, FunctionSet([one for one in found if one is not None]))
    for place in shown:
        row["messages"][place]["weight"] = 0
    return row


def _key(call: FunctionCall) -> str:
    return json.dumps([call.name, call.arguments], sort_keys=True)

"""A model answers BFCL cases; every answer is on disk before the next question.

A run is a folder, see ``answers_file``: one that was stopped goes on where it stopped, and only
questions that are new or have changed are asked.
"""

import copy
import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from langchain_gorilla.errors import (
    DeadEndError,
    GenerationTimeoutError,
    InvalidFunctionError,
    PromptError,
    PromptTooLongError,
    UnknownFormatError,
)
from langchain_gorilla.evaluation.answers_file import add_answer, alone_in, open_run
from langchain_gorilla.evaluation.cases import Case
from langchain_gorilla.evaluation.model_files import model_folder
from langchain_gorilla.evaluation.offers import Function, RetrieverName, catalogs, offering
from langchain_gorilla.evaluation.scoring import Answer, Score, score_answer

NO_ANSWER = (
    PromptError,
    PromptTooLongError,
    GenerationTimeoutError,
    InvalidFunctionError,
    DeadEndError,
)
"""What one question can run into; the others are still asked."""

_SOURCE_NAMES = {"java": "Java", "javascript": "JavaScript"}


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What decides a run's answers.

    Attributes:
        model: ``"bundled"``, a model id or a directory.
        format: How the model is prompted, by name; None chooses by the model's name.
        retriever: How functions are chosen from the catalog.
        catalog_size: Functions in each case's catalog; None for the case's own.
        top_k: Functions that a retriever offers.
        embedder: Directory of the sentence encoder of ``dense`` and ``hybrid``.
        constrained: Whether calls are constrained to the functions while they are generated.
        compare_functions: As the option of ``ChatGorilla``; 1 is greedy.
        lexical_weight: As the option of ``ChatGorilla``; 0 leaves names to the model alone.
        max_tokens: Most tokens of an answer.
        timeout_s: Most seconds for an answer; None for no limit.
    """

    model: str
    format: str | None = None
    retriever: RetrieverName = "none"
    catalog_size: int | None = None
    top_k: int = 5
    embedder: str | None = None
    constrained: bool = True
    compare_functions: int = 1
    lexical_weight: float = 0.0
    max_tokens: int | None = 512
    timeout_s: float | None = None


def lexical_weight_of(model: str, format_name: str | None, given: float | None) -> float:
    """Say what a run's ``lexical_weight`` is: as given, or as ``ChatGorilla`` has it by default.

    Raises:
        UnsupportedOptionError: A weight was given, and the family does not mark its calls.
    """
    from langchain_gorilla.evidence import weight_of
    from langchain_gorilla.formats.registry import choose_format

    try:
        return weight_of(model, choose_format(model, format_name), given)
    except UnknownFormatError:
        return given or 0.0  # said where the model is made, with the option's name


def chat_model(options: RunOptions) -> BaseChatModel:
    """Return the model of a run, greedy.

    Raises:
        MissingModelError: The model's folder does not exist.
        UnknownFormatError: The model's name implies no format, or there is none of this name.
    """
    # Here, not above: evaluating recorded answers needs no torch.
    from langchain_gorilla.chat_models import ChatGorilla
    from langchain_gorilla.engines.transformers import load_engine

    model_folder(options.model)  # A folder that is not there has no format to ask for.
    try:
        return ChatGorilla(
            model=options.model,
            format=options.format,
            engine=load_engine(options.model),
            constrained=options.constrained,
            compare_functions=options.compare_functions,
            lexical_weight=options.lexical_weight,
            temperature=0,
            max_tokens=options.max_tokens,
            timeout=options.timeout_s,
        )
    except UnknownFormatError as error:
        raise UnknownFormatError(f"{error} Here: --format NAME.") from error


def run_cases(
    cases: Sequence[Case],
    model: BaseChatModel,
    options: RunOptions,
    folder: Path,
    *,
    all_cases: Sequence[Case] | None = None,
) -> Iterator[Score]:
    """Ask the cases that the folder has no answers to, and yield every score, in order.

    Args:
        cases: What to ask.
        model: Answers.
        options: Recorded with the answers; the model's are not read from it.
        folder: The run; made where it is missing.
        all_cases: Where catalogs are filled from; None for ``cases``.

    Raises:
        DifferentRunError: The folder holds another run.
        RunInUseError: Another process is writing to the folder.
        MissingModelError: The model's folder does not exist.
        UnsupportedOptionError: A retriever or catalog size that cannot be had.
        UnwritableOutputError: An answer cannot be written; says why.
    """
    catalog_of = catalogs(cases if all_cases is None else all_cases, options.catalog_size)
    with ExitStack() as stack:
        stack.enter_context(alone_in(folder))
        recorded = open_run(folder, asdict(options))
        offer = stack.enter_context(
            offering(options.retriever, top_k=options.top_k, embedder=options.embedder)
        )
        is_loaded = False
        for case in cases:
            try:
                found = offer(case, catalog_of(case))
            except InvalidFunctionError as error:
                # A retriever reads every function of the catalog; one that is none ends no run.
                failed = Answer(case.id, error=f"{type(error).__name__}: {error}")
                yield score_answer(case, failed, [])
                continue
            offered = [as_shown(function, case.language) for function in found]
            question = _fingerprint(case, offered)
            record = recorded.get(case.id)
            if record is not None and record[0] == question:
                yield score_answer(case, record[1], offered)
                continue
            if not is_loaded:
                # Before the clock of the first answer starts, and only if one is asked for.
                _load(model)
                is_loaded = True
            answer = ask(model, case, offered)
            add_answer(folder, question, answer)
            yield score_answer(case, answer, offered)


def _load(model: BaseChatModel) -> None:
    """Load tokenizer and weights of a model that has any."""
    from langchain_gorilla.engines.transformers import TransformersEngine

    engine = getattr(model, "engine", None)
    if isinstance(engine, TransformersEngine):
        engine.encode(("",))
        engine.load()


def _fingerprint(case: Case, offered: Sequence[Function]) -> str:
    shown = json.dumps([case.messages, list(offered)], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:16]


# --- One question ---


def ask(model: BaseChatModel, case: Case, offered: Sequence[Function]) -> Answer:
    """Ask one question; what the model cannot be asked is an ``Answer`` with ``error``."""
    started = time.perf_counter()
    try:
        # A retriever may find nothing; then the model is asked without tools.
        bound = model.bind_tools([dict(function) for function in offered]) if offered else model
        message = bound.invoke([dict(turn) for turn in case.messages])
    except NO_ANSWER as error:
        seconds = time.perf_counter() - started
        return Answer(case.id, seconds=seconds, error=f"{type(error).__name__}: {error}")
    return answer_of(case.id, message, time.perf_counter() - started)


def answer_of(case_id: str, message: AIMessage, seconds: float) -> Answer:
    """Return what counts of a message."""
    usage = message.usage_metadata
    output_tokens = usage["output_tokens"] if usage else 0
    return Answer(
        case_id,
        tuple({call["name"]: call["args"]} for call in message.tool_calls),
        tuple(
            {"name": call["name"], "args": call["args"], "error": call["error"]}
            for call in message.invalid_tool_calls
        ),
        message.text,
        usage["input_tokens"] if usage else 0,
        output_tokens,
        message.response_metadata.get("forward_passes", output_tokens),
        seconds,
    )


def as_shown(
    function: Function, language: Literal["python", "java", "javascript"]
) -> dict[str, Any]:
    """Return a function as the model sees it.

    Arguments of Java and JavaScript questions are source text, so their parameters are strings
    whose description names the type, as BFCL shows them.
    """
    shown = copy.deepcopy(dict(function))
    if language == "python":
        return shown
    for schema in shown["parameters"].get("properties", {}).values():
        kind = schema.pop("type", "any")
        items = schema.pop("items", None)
        elements = f" with elements of type {items['type']}" if _names_a_type(items) else ""
        for keyword in ("properties", "default", "enum"):
            schema.pop(keyword, None)
        schema["type"] = "string"
        schema["description"] = (
            f"{schema.get('description', '')} {_SOURCE_NAMES[language]} source text of type "
            f"{kind}{elements}."
        ).strip()
    return shown


def _names_a_type(items: Any) -> bool:
    return isinstance(items, dict) and "type" in items

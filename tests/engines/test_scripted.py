import copy
import pickle
import re
import sys
import time
from collections.abc import Callable
from subprocess import run
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_gorilla import ChatGorilla
from langchain_gorilla.engines import scripted
from langchain_gorilla.engines.base import (
    CancelToken,
    Engine,
    EngineEvent,
    Finished,
    GenerationOptions,
    TextPiece,
)
from langchain_gorilla.engines.scripted import ScriptedEngine
from langchain_gorilla.errors import (
    GenerationCancelledError,
    GenerationTimeoutError,
    PromptTooLongError,
    ScriptEndedError,
)
from langchain_gorilla.formats.base import BOS, Special

_PLAIN = GenerationOptions()


def _text(events: list[EngineEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextPiece))


def test_it_is_an_engine() -> None:
    assert isinstance(ScriptedEngine([]), Engine)


def test_its_example_runs_as_it_stands() -> None:
    example = re.findall("^    (.*)$", scripted.__doc__ or "", re.MULTILINE)
    names = {"ChatGorilla": ChatGorilla, "ScriptedEngine": ScriptedEngine}
    exec("\n".join(example), names)  # noqa: S102
    assert names["model"].invoke("Hello").content == ""


def test_answers_come_in_order_and_whole() -> None:
    engine = ScriptedEngine(["Hello  there.\n", "f(a=1)"])
    assert _text(list(engine.stream(("a",), _PLAIN))) == "Hello  there.\n"
    assert list(engine.stream(("b c",), _PLAIN)) == [
        TextPiece("f(a=1)"),
        Finished(reason="stop", input_tokens=2, output_tokens=1),
    ]


async def test_astream_gives_the_same_events() -> None:
    one, other = ScriptedEngine(["Hello there."]), ScriptedEngine(["Hello there."])
    events = [event async for event in one.astream(("a",), _PLAIN)]
    assert events == list(other.stream(("a",), _PLAIN))


def test_a_function_answers_from_the_prompt() -> None:
    engine = ScriptedEngine(lambda prompt: prompt.upper())
    assert _text(list(engine.stream((BOS, "hi", Special("<|e|>")), _PLAIN))) == "HI<|E|>"


def test_chunk_is_the_size_of_a_piece() -> None:
    events = list(ScriptedEngine(["abcde"], chunk=2).stream(("a",), _PLAIN))
    assert [event.text for event in events if isinstance(event, TextPiece)] == ["ab", "cd", "e"]


@pytest.mark.parametrize(
    ("options", "text", "reason", "tokens"),
    [
        (GenerationOptions(stop=("c d",)), "a b ", "stop", 3),
        (GenerationOptions(max_tokens=2), "a b", "length", 2),
        (GenerationOptions(max_tokens=4), "a b c d", "stop", 4),
        (GenerationOptions(max_tokens=3, stop=("c d",)), "a b c", "length", 3),
        (GenerationOptions(stop=("zzz",)), "a b c d", "stop", 4),
    ],
)
def test_stop_and_max_tokens_end_an_answer(
    options: GenerationOptions, text: str, reason: str, tokens: int
) -> None:
    events = list(ScriptedEngine(["a b c d"]).stream(("p",), options))
    assert _text(events) == text
    assert events[-1] == Finished(reason=reason, input_tokens=1, output_tokens=tokens)


def test_it_remembers_what_was_asked() -> None:
    engine = ScriptedEngine(["a", "b"])
    list(engine.stream(("one", " two"), _PLAIN))
    list(engine.stream(("three",), GenerationOptions(seed=1)))
    assert engine.prompts == ["one two", "three"]
    assert engine.requests[1].options.seed == 1


def test_a_request_past_the_end_of_the_script_says_so() -> None:
    engine = ScriptedEngine(["a"])
    list(engine.stream(("p",), _PLAIN))
    with pytest.raises(ScriptEndedError, match=r"1 answers.*request 2.*Give ScriptedEngine"):
        list(engine.stream(("p",), _PLAIN))


def test_a_prompt_that_does_not_fit_says_by_how_much() -> None:
    engine = ScriptedEngine(["a"], context_tokens=3)
    with pytest.raises(PromptTooLongError, match=r"has 4 words.*may have 3"):
        list(engine.stream(("one two three four",), _PLAIN))


def test_a_timeout_ends_a_slow_answer() -> None:
    engine = ScriptedEngine(["a b c d"], delay_s=0.05)
    start = time.monotonic()
    with pytest.raises(GenerationTimeoutError, match=r"after 0\.1 s"):
        list(engine.stream(("p",), GenerationOptions(timeout_s=0.1)))
    assert time.monotonic() - start < 0.2


async def test_a_timeout_ends_a_slow_async_answer() -> None:
    engine = ScriptedEngine(["a b c d"], delay_s=0.05)
    with pytest.raises(GenerationTimeoutError, match=r"after 0\.1 s"):
        [event async for event in engine.astream(("p",), GenerationOptions(timeout_s=0.1))]


def test_cancelling_ends_an_answer() -> None:
    cancel = CancelToken()
    events = ScriptedEngine(["a b c"]).stream(("p",), _PLAIN, cancel=cancel)
    next(events)
    cancel.cancel()
    with pytest.raises(GenerationCancelledError, match="cancelled"):
        next(events)


def test_one_text_instead_of_a_list_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a list of answers"):
        ScriptedEngine("hello")


@pytest.mark.parametrize("answers", [5, [AIMessage("hello")], ["a", None]])
def test_what_is_no_list_of_texts_is_refused_at_once(answers: Any) -> None:
    with pytest.raises(TypeError, match=r"expected (a list of texts|the text that the model)"):
        ScriptedEngine(answers)


def test_a_function_that_answers_with_no_text_is_told_so() -> None:
    engine = ScriptedEngine(lambda prompt: AIMessage("hello"))
    with pytest.raises(TypeError, match="expected the text that the model would write"):
        list(engine.stream(("p",), _PLAIN))


def test_it_needs_no_torch() -> None:
    code = (
        "import sys; from langchain_gorilla.engines.scripted import ScriptedEngine;"
        "from langchain_gorilla.engines.base import GenerationOptions;"
        "list(ScriptedEngine(['a']).stream(('p',), GenerationOptions()));"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))],  # noqa: S301
)
def test_a_copy_goes_on_with_the_script_on_its_own(copied: Callable[[Any], Any]) -> None:
    engine = ScriptedEngine(["one", "two"])
    model = ChatGorilla(model="bundled", engine=engine)
    model.bind_tools([{"name": "f", "description": "", "parameters": {}}]).invoke("a")
    other = copied(engine)
    assert _text(list(other.stream(("b",), _PLAIN))) == "two"
    assert _text(list(engine.stream(("c",), _PLAIN))) == "two"
    assert (len(other.prompts), other.prompts[1], engine.prompts[1]) == (2, "b", "c")
    assert copied(model).engine.requests == engine.requests

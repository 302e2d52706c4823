"""Rows as tokens: what a model reads is what ChatGorilla sends, what it learns ends an answer."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from langchain_gorilla import ChatGorilla, bundled
from langchain_gorilla.engines.encoding import PromptEncoder
from langchain_gorilla.engines.scripted import ScriptedEngine
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.formats.registry import FORMATS
from langchain_gorilla.functions import function_set
from langchain_gorilla.tuning.examples import NOT_LEARNED, Example, examples
from langchain_gorilla.tuning.rows import TuningRow

SPECIALS = (
    *("<s>", "</s>", "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    *("<|eot|>", "<|header_start|>", "<|header_end|>", "<|startoftext|>", "<|im_start|>"),
    *("<|im_end|>", "<|tool_call_start|>", "<|tool_call_end|>", "<|tool_list_start|>"),
    *("<|tool_list_end|>", "<|tool_response_start|>", "<|tool_response_end|>", "<|endoftext|>"),
    *("<|python_start|>", "<|python_end|>", "<|eom|>", "<bot_end>", "<human_end>"),
)


def get_weather(city: str) -> str:
    """Get the weather."""
    return city


FUNCTIONS = function_set([get_weather])


def _called(*cities: str) -> AIMessage:
    calls = [
        {"name": "get_weather", "args": {"city": city}, "id": f"{place}"}
        for place, city in enumerate(cities)
    ]
    return AIMessage("", tool_calls=calls)


def _row(*messages: BaseMessage) -> TuningRow:
    learned = tuple(
        place for place, message in enumerate(messages) if isinstance(message, AIMessage)
    )
    return TuningRow(messages, FUNCTIONS, learned)


ONE = _row(HumanMessage("Weather in Oslo and in Rome?"), _called("Oslo", "Rome"))
WITH_RESULTS = _row(
    HumanMessage("Weather in Oslo?"),
    _called("Oslo"),
    ToolMessage("4 C", tool_call_id="0"),
    AIMessage("Oslo: 4 C."),
)


@pytest.fixture(scope="module")
def small() -> PromptEncoder:
    return PromptEncoder(AutoTokenizer.from_pretrained(bundled.path()), model="bundled")


@pytest.fixture(scope="module")
def every() -> PromptEncoder:
    """A byte-level tokenizer with the special tokens of all families."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    raw = Tokenizer(models.BPE({text: place for place, text in enumerate(letters)}, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    raw.add_special_tokens([AddedToken(one, special=True) for one in SPECIALS])
    wrapped = PreTrainedTokenizerFast(tokenizer_object=raw, bos_token="<s>", eos_token="</s>")
    return PromptEncoder(wrapped, model="every")


def _learned(one: Example, encoder: PromptEncoder) -> str:
    return encoder.decode([label for label in one.labels if label != NOT_LEARNED])


def _read(one: Example) -> list[int]:
    """The tokens before the first that is learned."""
    return list(one.ids[: next(at for at, label in enumerate(one.labels) if label >= 0)])


def test_the_answer_is_learned_and_ends_with_the_end_token(small: PromptEncoder) -> None:
    (one,) = examples(ONE, FORMATS["openfunctions-v2"], small, {1})
    calls = "<<function>>get_weather(city='Oslo')<<function>>get_weather(city='Rome')"
    assert _learned(one, small) == f"{calls}</s>"
    assert one.ids[-1] == 1


def test_what_is_read_is_what_chat_gorilla_sends(small: PromptEncoder) -> None:
    sent: list[Any] = []

    class Watched(ScriptedEngine):
        def stream(self, prompt: Any, *args: Any, **options: Any) -> Any:
            sent.append(prompt)
            return super().stream(prompt, *args, **options)

    model = ChatGorilla(model="bundled", engine=Watched(["Oslo: 4 C."]))
    model.bind_tools([get_weather]).invoke(list(WITH_RESULTS.messages[:3]))
    last = examples(
        TuningRow(WITH_RESULTS.messages, FUNCTIONS, (3,)), FORMATS["openfunctions-v2"], small, {1}
    )
    assert _read(last[0]) == small.encode(sent[0])


@pytest.mark.parametrize("name", FORMATS)
def test_every_family_learns_what_it_writes(name: str, every: PromptEncoder) -> None:
    format_: PromptFormat = FORMATS[name]
    functions = FUNCTIONS if format_.most_functions != 0 else function_set([])
    row = TuningRow(
        (HumanMessage("Hello?"), AIMessage("Hello, world."), *ONE.messages), functions, (1, 3)
    )
    ends = {every.specials[one] for one in ("</s>", "<|eot_id|>", "<|eot|>", "<|im_end|>")}
    said = [_learned(one, every) for one in examples(row, format_, every, ends)]
    text = "".join(said)
    assert "Hello, world." in text
    assert "get_weather(city='Oslo')" in text.replace('"', "'")
    for one in examples(row, format_, every, ends):
        assert one.ids[-1] in ends
        assert one.labels[-1] == one.ids[-1]
        assert len(one.ids) == len(one.labels)


def test_marks_that_are_special_tokens_are_learned_as_such(every: PromptEncoder) -> None:
    (one,) = examples(ONE, FORMATS["lfm2"], every, {every.specials["<|im_end|>"]})
    learned = [label for label in one.labels if label != NOT_LEARNED]
    assert learned[0] == every.specials["<|tool_call_start|>"]
    assert learned[-1] == every.specials["<|im_end|>"]
    assert every.specials["<|tool_call_end|>"] in learned


def test_answers_that_are_read_behind_one_another_are_one_example(small: PromptEncoder) -> None:
    """Where they are not, each answer is an example of its own; all are learned either way."""
    found = examples(WITH_RESULTS, FORMATS["openfunctions-v2"], small, {1})
    said = "".join(_learned(one, small) for one in found)
    assert said == "<<function>>get_weather(city='Oslo')</s>Oslo: 4 C.</s>"
    alone = examples(
        TuningRow(WITH_RESULTS.messages, FUNCTIONS, (3,)), FORMATS["openfunctions-v2"], small, {1}
    )
    assert found[-1].ids == alone[0].ids

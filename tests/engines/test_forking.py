"""Calls or text: how probable the model finds each, and what follows from that."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from langchain_gorilla import ChatGorilla
from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.engines.base import AnswerGrammar, Finished, Fork, GenerationOptions
from langchain_gorilla.engines.forking import TOLERANCE, ForkReader, Lookahead
from langchain_gorilla.engines.transformers import TransformersEngine
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.grammar.call_grammar import Answer
from langchain_gorilla.grammar.constraint import Vocabulary
from tests.engines.asking import FUNCTIONS, decoded
from tests.engines.small_model import weather_prompt
from tests.grammar.samples import V2, tokenizer_json

SMALL = Vocabulary(tokenizer_json(), end_ids=[0])
QUESTIONS = ("What is the weather in Oslo?", "Hello!", "Tell me a joke.", "7 * 6 = ?")
TEXTS = [SMALL.decode([token]) for token in range(SMALL.known)]
FORK = Fork(openings=("<<function>>",), thought=V2.reasoning)


# --- The reader by itself, on a made-up model ---


class MadeUp:
    """Scores by the last token alone, with a liking for some texts."""

    def __init__(self, seed: int, liked: Sequence[bytes], strength: float) -> None:
        self.seed, self.strength, self.looks = seed, strength, 0
        self.liked = [token for token in range(SMALL.known) if SMALL.decode([token]) in liked]

    def row(self, last: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(self.seed * 1_000 + last)
        row = torch.randn(SMALL.size, generator=generator)
        row[self.liked] += self.strength
        return row

    def look(self, answer: Sequence[int], further: Sequence[int]) -> list[torch.Tensor]:
        self.looks += 1
        return [self.row(token) for token in further]

    def exact(self, openings: tuple[bytes, ...], written: bytes, last: int, depth: int) -> float:
        """Add up all that begins an opening, token by token."""
        shares, found = self.row(last)[: SMALL.known].softmax(-1).tolist(), 0.0
        for share, token_text, token in zip(shares, TEXTS, range(SMALL.known), strict=True):
            text = (written + token_text).lstrip()
            if text.startswith(openings):
                found += share
            elif depth and share > 1e-3 and any(each.startswith(text) for each in openings):
                found += share * self.exact(openings, text, token, depth - 1)
        return found


LIKED = {
    "one token": (b"<<function>>",),
    "pieces": (b"<", b"<<", b"function", b">>", b"f", b"unction", b" <<"),
    "names": (b"g", b"get", b"_", b"weather", b"(", b"add"),
    "nothing": (),
}


@pytest.mark.parametrize("liked", LIKED)
@pytest.mark.parametrize("openings", [("<<function>>",), ("get_weather(", "add(", "get_time(")])
def test_the_probability_is_that_of_all_ways_to_begin_a_call(
    openings: tuple[str, ...], liked: str
) -> None:
    model = MadeUp(7, LIKED[liked], 5.0)
    reader = ForkReader(Fork(openings=openings), SMALL, model.look)
    reader.read([], model.row(3))
    exact = model.exact(tuple(opening.encode() for opening in openings), b"", 3, 4)
    assert reader.probability is not None
    assert reader.probability <= exact + 1e-5
    # What is looked up no further counts as text: several beginnings may each be below the bound.
    assert reader.probability >= exact - 8 * TOLERANCE


def test_what_is_certain_takes_no_look() -> None:
    text = next(t for t in range(SMALL.known) if SMALL.decode([t]) == b"I")
    row = torch.full((SMALL.size,), -20.0)
    row[text] = 20.0
    model = MadeUp(1, (), 0)
    reader = ForkReader(FORK, SMALL, model.look)
    reader.read([], row)
    assert reader.probability == pytest.approx(0, abs=1e-6)
    assert model.looks == 0


def test_a_row_of_padding_has_no_part_in_it() -> None:
    row = torch.zeros(SMALL.size + 8)
    row[-8:] = 50.0
    other = torch.zeros(SMALL.size)
    found = []
    for each in (row, other):
        reader = ForkReader(FORK, SMALL, lambda answer, further: [other for _ in further])
        reader.read([], each)
        found.append(reader.probability)
    assert found[0] == found[1]


def encoded(text: str) -> list[int]:
    return SMALL.encode(text)


@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        ("", True),
        ("  \n", True),
        ("<think>Hm.</think>", True),
        ("<think>Hm.</think>\n\n", True),
        ("<think>Hm.", False),
        ("I", False),
        ("<think>Hm.</think>I", False),
        ("<<function>>", False),
    ],
)
def test_the_fork_is_at_the_beginning_or_behind_a_thought(answer: str, waits: bool) -> None:
    assert ForkReader(FORK, SMALL, MadeUp(0, (), 0).look).waits(encoded(answer)) == waits


def test_a_model_that_thinks_first_is_judged_behind_its_thought() -> None:
    model = MadeUp(1, (b"<",), 12.0)
    fork = Fork(openings=("call(",), thought=("<think>", "</think>"))
    reader = ForkReader(fork, SMALL, model.look)
    reader.see([], model.row(1))
    assert reader.probability is None
    reader.see(encoded("<think>Hm.</think>\n"), torch.zeros(SMALL.size))
    assert reader.probability is not None


class Letters:
    """A sequence whose scores are what was read, so that every mix-up shows."""

    def __init__(self) -> None:
        self.tokens: list[int] = []

    @property
    def length(self) -> int:
        return len(self.tokens)

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> list[tuple[int, ...]]:
        start = self.length
        self.tokens += tokens
        return [tuple(self.tokens[: start + place + 1]) for place in at]

    def cut(self, length: int) -> None:
        del self.tokens[length:]


def test_looking_ahead_leaves_the_sequence_as_it_was() -> None:
    draw = random.Random(5)
    for _ in range(200):
        plain, ahead = Letters(), Lookahead(Letters())
        for _ in range(draw.randint(1, 4)):
            tokens = [draw.randrange(3) for _ in range(draw.randint(1, 5))]
            at = sorted(draw.sample(range(len(tokens)), draw.randint(1, len(tokens))))
            assert ahead.extend(tokens, at) == plain.extend(tokens, at)
            keep = ahead.length - draw.randint(0, len(tokens) - 1)
            further = [draw.randrange(3) for _ in range(draw.randint(1, 3))]
            wanted = [
                tuple([*plain.tokens[:keep], *further][: keep + n + 1]) for n in range(len(further))
            ]
            assert ahead.look(keep, further) == wanted
            assert ahead._sequence.tokens == plain.tokens  # type: ignore[attr-defined]


def test_what_was_guessed_is_not_read_again() -> None:
    ahead = Lookahead(Letters())
    ahead.extend([1, 2, 3, 4], [1, 2, 3])
    assert ahead.look(2, [3, 4]) == [(1, 2, 3), (1, 2, 3, 4)]
    assert ahead.passes == 1
    ahead.look(2, [4])
    assert ahead.passes == 3  # One to look, one to read the guess anew.


# --- On the bundled model ---


def finished(
    engine: TransformersEngine, question: str, *, free: bool = False, drafts: bool = True
) -> Finished:
    answer = None if free else Answer()
    last = decoded(engine, question, answer, drafts=drafts, fork=FORK, max_tokens=24)[-1]
    assert isinstance(last, Finished)
    return last


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_is_the_models_own_however_it_decodes(engine: TransformersEngine, question: str) -> None:
    engine.load()
    weights, ids = engine._loaded.weights, engine.encode(weather_prompt(question))
    with torch.no_grad():
        shares = weights(input_ids=torch.tensor([ids])).logits[0, -1].softmax(-1)
    opening = engine._loaded.compiler(engine._loaded.end_ids).vocabulary.encode(
        "<<function>>", special=True
    )
    assert len(opening) == 1  # Then one row of scores says it all.
    for free in (False, True):
        for drafts in (False, True):
            given = finished(engine, question, free=free, drafts=drafts)
            assert given.call_probability == pytest.approx(float(shares[opening[0]]), abs=1e-3)


def test_forward_passes_are_counted(engine: TransformersEngine) -> None:
    loop = finished(engine, QUESTIONS[0])
    plain = finished(engine, QUESTIONS[0], drafts=False)
    assert plain.forward_passes == plain.output_tokens == loop.output_tokens
    assert loop.forward_passes is not None
    assert 1 <= loop.forward_passes < loop.output_tokens


def test_a_tokenizer_that_no_grammar_can_read_leaves_it_unknown(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(end_ids: object) -> None:
        raise UnsupportedOptionError("no byte fallback")

    loaded, options = engine._loaded, GenerationOptions(fork=FORK)
    monkeypatch.setattr(loaded, "compiler", refuse)
    assert loaded.constrained(None, options, frozenset({1})) == (None, None)
    with pytest.raises(UnsupportedOptionError):
        loaded.constrained(AnswerGrammar(functions=FUNCTIONS, syntax=V2), options, frozenset({1}))


def get_weather(city: str) -> str:
    """Get the weather."""
    return city


def model(**options: Any) -> Any:
    return ChatGorilla(model="bundled", dtype="float32", max_tokens=24, **options).bind_tools(
        [get_weather]
    )


async def test_every_path_reports_the_same_probability() -> None:
    bound = model()
    invoked = bound.invoke(QUESTIONS[0])
    assert invoked.tool_calls
    assert invoked.response_metadata["call_probability"] > 0.5
    streamed = [chunk async for chunk in bound.astream(QUESTIONS[0])]
    for other in (
        await bound.ainvoke(QUESTIONS[0]),
        list(bound.stream(QUESTIONS[0]))[-1],
        streamed[-1],
    ):
        found = other.response_metadata["call_probability"]
        assert found == pytest.approx(invoked.response_metadata["call_probability"], abs=1e-4)


@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_below_the_threshold_no_call_is_made(temperature: float) -> None:
    for question in QUESTIONS:
        answer = model(min_call_probability=1.0, temperature=temperature, seed=3).invoke(question)
        assert answer.response_metadata["call_probability"] < 1.0
        assert answer.text
        assert not answer.tool_calls
        assert not answer.invalid_tool_calls


def test_at_the_threshold_calls_are_made() -> None:
    probability = model().invoke(QUESTIONS[0]).response_metadata["call_probability"]
    answer = model(min_call_probability=probability * 0.99).invoke(QUESTIONS[0])
    assert answer.tool_calls
    assert (
        not model(min_call_probability=min(1.0, probability * 1.01)).invoke(QUESTIONS[0]).tool_calls
    )


def test_a_model_that_cannot_be_cut_keeps_the_threshold(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langchain_gorilla.engines.generation.can_cut", lambda weights: False)
    answer = model(min_call_probability=1.0).invoke(QUESTIONS[0])
    assert answer.text
    assert not answer.tool_calls
    assert answer.response_metadata["forward_passes"] >= 1


def test_calls_or_json_is_a_fork_too(engine: TransformersEngine) -> None:
    schema = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}
    answer = Answer(final=schema)
    grammar = AnswerGrammar(functions=FUNCTIONS, syntax=V2, answer=answer)
    instead = AnswerGrammar(functions=(), syntax=V2, answer=Answer(mode="none", final=schema))
    fork = Fork(openings=("<<function>>",), least=1.0, instead=instead)
    options = GenerationOptions(max_tokens=30, fork=fork)
    prompt = weather_prompt(QUESTIONS[0])
    *pieces, end = engine.stream(prompt, options, constraint=grammar)
    assert isinstance(end, Finished)
    assert end.call_probability is not None
    assert pieces[0].text.startswith("{")  # type: ignore[union-attr]


def test_a_demanded_call_has_no_fork() -> None:
    bound = ChatGorilla(
        model="bundled", dtype="float32", max_tokens=24, min_call_probability=1.0
    ).bind_tools([get_weather], tool_choice="any")
    answer = bound.invoke(QUESTIONS[0])
    assert answer.tool_calls
    assert "call_probability" not in answer.response_metadata


@pytest.mark.parametrize("size", [1, 3])
def test_spellings_find_tokens_by_what_they_spell(size: int) -> None:
    found = SMALL.spellings
    for opening in (b"<<function>>", b"get_weather(", b" ")[:size]:
        begun = {token: SMALL.decode([token]) for token in found.beginning_with(opening)}
        assert all(text.startswith(opening) for text in begun.values())
        inside = dict(found.inside(opening))
        for token in range(SMALL.known):
            text = SMALL.decode([token])
            assert (token in begun) == (text.startswith(opening))
            assert (token in inside) == (
                text != b"" and opening.startswith(text) and text != opening
            )


def test_a_family_with_bare_calls_has_a_fork(engine: TransformersEngine) -> None:
    syntax = CallSyntax(opening="", separator=", ", closing="")
    grammar = AnswerGrammar(functions=FUNCTIONS, syntax=syntax)
    fork = Fork(openings=("get_weather(", "book_hotel("))
    options = GenerationOptions(max_tokens=8, fork=fork)
    events = list(engine.stream(weather_prompt(), options, constraint=grammar))
    end = events[-1]
    assert isinstance(end, Finished)
    assert end.call_probability is not None
    assert 0 <= end.call_probability <= 1

"""The decode loop: the same answers as one token at a time, in fewer forward passes."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest

from langchain_gorilla.engines.decode_loop import decode
from langchain_gorilla.engines.token_sequence import can_cut
from langchain_gorilla.engines.transformers import TransformersEngine
from langchain_gorilla.errors import DeadEndError
from langchain_gorilla.grammar.call_grammar import Answer
from tests.engines.asking import ask, decoded
from tests.engines.small_model import Passes

PLACES = ("Oslo", "New York", "Rio de Janeiro", "Ürümqi", "Rome and in Paris")
QUESTIONS = (
    "What is the weather in {}?",
    "Book me a hotel in {} for 3 nights, four stars, with breakfast.",
    "Tell me about {}.",
    "weather '{}' now!!! 12 12.5",
    "Compare {} with Lima and Quito, then book 2 nights in each.",
)
MODES = (Answer(mode="any"), Answer(), Answer(mode="any", name="book_hotel", parallel=False))


# 75 prompts; each piece is a token's text, and Finished has their number.
@pytest.mark.parametrize("answer", MODES)
@pytest.mark.parametrize("place", PLACES)
def test_greedy_answers_are_those_of_one_token_at_a_time(
    engine: TransformersEngine, place: str, answer: Answer
) -> None:
    for question in QUESTIONS:
        asked = question.format(place)
        loop = decoded(engine, asked, answer, drafts=True)
        assert loop == decoded(engine, asked, answer, drafts=False), asked


@pytest.mark.parametrize("question", [*QUESTIONS, "Repeat: la la la la la la la la la la"])
def test_free_answers_are_those_of_one_token_at_a_time(
    engine: TransformersEngine, question: str
) -> None:
    asked = question.format("Oslo")
    for options in ({}, {"temperature": 1.1, "seed": 3}):
        loop = decoded(engine, asked, None, drafts=True, **options)
        assert loop == decoded(engine, asked, None, drafts=False, **options), asked


def test_a_repetition_penalty_holds_in_the_loop(engine: TransformersEngine) -> None:
    for penalty in (1.3, 0.8):
        loop, plain = (
            decoded(engine, "Oslo?", MODES[0], drafts=drafts, repetition_penalty=penalty)
            for drafts in (True, False)
        )
        assert loop == plain


def test_an_answer_takes_few_forward_passes(engine: TransformersEngine, passes: Passes) -> None:
    given = ask(engine, "What is the weather in Oslo?", Answer(mode="any", parallel=False))
    assert given.text == "<<function>>get_weather(city='Oslo')"
    assert len(passes.lengths) * 2 <= given.finished.output_tokens


def test_a_cache_that_forgets_is_not_cut() -> None:
    from transformers import LlamaConfig, MistralConfig

    class Weights:
        def __init__(self, config: Any) -> None:
            self.config = config

        def forward(self, input_ids: Any, logits_to_keep: int = 0) -> None: ...

    class Old(Weights):
        def forward(self, input_ids: Any) -> None: ...  # type: ignore[override]

    assert can_cut(Weights(LlamaConfig()))
    assert not can_cut(Weights(MistralConfig(sliding_window=16)))
    assert not can_cut(Old(LlamaConfig()))


# --- The loop by itself, on a made-up model ---

LETTERS = 4
END = 0
WEIGHTS = {last: [random.Random(last).random() for _ in range(LETTERS)] for last in range(9)}


class MadeUp:
    """A TokenSequence whose scores depend on the last token, and which checks its use."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.passes = 0

    @property
    def length(self) -> int:
        return len(self.tokens)

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> list[list[float]]:
        assert tokens
        self.passes += 1
        self.tokens += tokens
        return [WEIGHTS[tokens[index]] for index in at]

    def cut(self, length: int) -> None:
        assert length <= self.length
        del self.tokens[length:]


class Four:
    """Allows four tokens and then the end; after 1, 3 has to come; 3 never comes by itself."""

    end_ids = frozenset([END])

    def __init__(self) -> None:
        self.tokens: list[int] = []

    @property
    def complete(self) -> bool:
        return len(self.tokens) >= 4

    def forced(self) -> list[int]:
        return [3] if self.tokens and self.tokens[-1] == 1 and not self.complete else []

    def allowed(self) -> list[int]:
        return self.forced() or [1, 2]

    def try_consume(self, tokens: Sequence[int]) -> int:
        for count, token in enumerate(tokens):
            if self.complete or token not in self.allowed():
                return count
            self.tokens.append(token)
        return len(tokens)

    def consume(self, tokens: Sequence[int]) -> None:
        if self.try_consume(tokens) < len(tokens):
            raise DeadEndError("no")

    def rollback(self, count: int) -> None:
        del self.tokens[len(self.tokens) - count :]


def run(guess: Any, draw: random.Random, most: int) -> tuple[tuple[int, ...], int]:
    sequence, constraint = MadeUp(), Four()
    taken: list[int] = []

    def pick(answer: Sequence[int], weights: list[float]) -> int:
        assert list(answer) == taken == constraint.tokens
        assert sequence.tokens[: 2 + len(taken)] == [7, 8, *taken][: len(sequence.tokens)]
        allowed = constraint.allowed()
        return draw.choices(allowed, [weights[token] for token in allowed])[0]

    def take(token: int) -> bool:
        taken.append(token)
        return constraint.complete

    decode(
        sequence, [7, 8], constraint, pick=pick, guess=guess, take=take, room=9, most_drafted=most
    )  # type: ignore[arg-type]
    return tuple(taken), sequence.passes


def exact() -> dict[tuple[int, ...], float]:
    found: dict[tuple[int, ...], float] = {}
    for tokens in product((1, 2, 3), repeat=4):
        constraint, last, chance = Four(), 8, 1.0
        for token in tokens:
            allowed = constraint.allowed()
            if token not in allowed:
                break
            weights = {each: WEIGHTS[last][each] for each in allowed}
            chance *= weights[token] / sum(weights.values())
            constraint.consume([token])
            last = token
        else:
            found[tokens] = chance
    assert abs(sum(found.values()) - 1) < 1e-9
    return found


GUESSES = {
    "none": lambda answer: [],
    "always the same": lambda answer: [2, 2, 2, 2],
    "what is not allowed": lambda answer: [2, 3, 1],
    "the end": lambda answer: [END],
    "what is forced": lambda answer: [1, 3, 2, 1],
    "by what came": lambda answer: [1 + len(answer) % 2] * 3,
}


@pytest.mark.parametrize("most", [0, 1, 3, 12])
@pytest.mark.parametrize("name", GUESSES)
def test_sampling_has_the_distribution_of_one_token_at_a_time(name: str, most: int) -> None:
    draw, runs = random.Random(f"{name} {most}"), 6_000
    counts = Counter(run(GUESSES[name], draw, most)[0] for _ in range(runs))
    expected = exact()
    assert counts.keys() <= expected.keys()
    chi_square = sum(
        (counts[tokens] - runs * chance) ** 2 / (runs * chance)
        for tokens, chance in expected.items()
    )
    # So far from its mean by chance once in 10,000 times; the draws are the same in every run.
    freedom = len(expected) - 1
    assert chi_square < freedom + 3.72 * (2 * freedom) ** 0.5 + 8


@pytest.mark.parametrize("name", GUESSES)
def test_any_guess_gives_the_greedy_answer_of_no_guess(name: str) -> None:
    class Best(random.Random):
        def choices(self, population: Any, weights: Any) -> Any:  # type: ignore[override]
            return [max(zip(weights, population, strict=True))[1]]

    assert run(GUESSES[name], Best(), 12)[0] == run(GUESSES["none"], Best(), 0)[0]


def test_right_guesses_save_passes() -> None:
    class Twos(random.Random):
        def choices(self, population: Any, weights: Any) -> Any:  # type: ignore[override]
            return [2]

    assert run(GUESSES["none"], Twos(), 12)[1] == 4
    assert run(GUESSES["always the same"], Twos(), 12)[1] == 1

"""Functions compared by the calls that would follow."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
import torch

from langchain_gorilla import ChatGorilla, bundled
from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.engines.comparing import LEAST_SHARE, Comparison
from langchain_gorilla.engines.transformers import TransformersEngine
from langchain_gorilla.errors import GenerationCancelledError, UnsupportedOptionError
from langchain_gorilla.training import dataset, generate, prompts
from tests.engines.asking import function

# --- By itself, on a made-up model whose tokens are characters ---

MARK = CallSyntax(opening="#", separator="#", closing="")
NAMES = (function("f"), function("g"))
END = 0


class Characters:
    """A TokenSequence that likes to go on with some texts, and checks its use."""

    def __init__(self, liked: Mapping[str, Mapping[str, float]]) -> None:
        self.liked = liked
        self.tokens: list[int] = []
        self.reads = 0

    @property
    def length(self) -> int:
        return len(self.tokens)

    def row(self, count: int) -> torch.Tensor:
        """Give the scores of what follows the first ``count`` tokens."""
        shares = torch.full((128,), 1e-9)
        for text, share in self.liked.get(bytes(self.tokens[:count]).decode(), {}).items():
            shares[ord(text)] = share
        return shares.log()

    def extend(self, tokens: Sequence[int], at: Sequence[int]) -> list[torch.Tensor]:
        assert tokens
        self.reads += 1
        start = len(self.tokens)
        self.tokens += tokens
        return [self.row(start + index + 1) for index in at]

    def cut(self, length: int) -> None:
        del self.tokens[length:]


class AnyText:
    """Limits that allow every character but one, and remember what they consumed."""

    end_ids = frozenset([END])
    complete = False

    def __init__(self, forbidden: str = "!") -> None:
        self.forbidden = ord(forbidden)
        self.tokens: list[int] = []

    def forced(self) -> list[int]:
        return []

    def try_consume(self, tokens: Sequence[int]) -> int:
        assert len(tokens) == 1
        if tokens[0] == self.forbidden:
            return 0
        self.tokens += tokens
        return 1

    def consume(self, tokens: Sequence[int]) -> None:
        assert self.try_consume(tokens) == len(tokens)

    def rollback(self, count: int) -> None:
        del self.tokens[len(self.tokens) - count :]


class Bytes:
    @staticmethod
    def decode(tokens: Sequence[int]) -> bytes:
        return bytes(tokens)


def chain(text: str, share: float = 1.0, after: str = "#") -> dict[str, dict[str, float]]:
    """Go on with a text, its first character with a share, the rest for certain."""
    shares = [share, *[1.0] * (len(text) - 1)]
    return {
        after + text[:place]: {text[place]: share} for place, share in enumerate(shares) if place
    }


def comparison(most: int = 3, guess: str = "", syntax: CallSyntax = MARK) -> Comparison:
    return Comparison(
        NAMES,
        syntax=syntax,
        spelling=Bytes(),
        guess=lambda answer: list(guess.encode()),
        most=most,
    )


def choose(model: Characters, chooser: Comparison, limits: AnyText, answer: str = "#") -> str:
    model.tokens = list(answer.encode())
    limits.tokens = list(answer.encode())
    row = model.row(len(answer))
    token = chooser.choose(
        model.tokens[:],
        row,
        int(row.argmax()),
        sequence=model,
        constraint=limits,
        pick=lambda answer, row: int(row.argmax()),
        room=40,
    )
    assert bytes(model.tokens) == bytes(limits.tokens) == answer.encode()
    return chr(token)


def undecided(f: float, g: float) -> Characters:
    """A model that finds ``f`` likelier, and then does not know with what to call it."""
    unsure = {"#f(": {"1": 0.3, "2": 0.25}, "#f(1": {")": 1.0}}
    return Characters({"#": {"f": f, "g": g}, **chain("f(1)"), **chain("g(2)"), **unsure})


def test_the_function_with_the_likeliest_call_is_chosen() -> None:
    chooser = comparison()
    assert choose(undecided(0.6, 0.4), chooser, AnyText()) == "g"
    # The call that won is what the loop is to read next.
    assert bytes(chooser.guess(b"#")) == b"g(2)"
    assert bytes(chooser.guess(b"#g(")) == b"2)"


def test_the_likeliest_name_stays_where_its_call_is_likelier() -> None:
    assert choose(undecided(0.9, 0.1), comparison(), AnyText()) == "f"


def test_what_is_all_but_certain_is_not_compared() -> None:
    model = undecided(0.9, 0.9 * LEAST_SHARE * 0.9)
    assert choose(model, comparison(), AnyText()) == "f"
    assert model.reads == 0


def test_what_the_constraint_forbids_is_not_compared() -> None:
    model = undecided(0.6, 0.4)
    assert choose(model, comparison(), AnyText(forbidden="g")) == "f"
    assert model.reads == 0


def test_no_more_are_compared_than_were_asked_for() -> None:
    model = Characters({"#": {"f": 0.4, "g": 0.3, "h": 0.3}, **chain("f(1)"), **chain("g(1)")})
    chooser = Comparison(
        (*NAMES, function("h")), syntax=MARK, spelling=Bytes(), guess=lambda _: [], most=2
    )
    assert choose(model, chooser, AnyText()) == "f"
    assert model.reads == len("f(1") + len("g(1")


def test_text_is_not_compared_with_calls() -> None:
    model = Characters({"#": {"n": 0.5, "f": 0.3, "g": 0.2}, **chain("f(1)"), **chain("g(1)")})
    assert choose(model, comparison(), AnyText()) == "n"
    assert model.reads == 0


def test_guesses_make_comparing_cheaper_and_change_nothing() -> None:
    slow, fast = undecided(0.6, 0.4), undecided(0.6, 0.4)
    assert choose(slow, comparison(), AnyText()) == "g"
    assert choose(fast, comparison(guess="(2)"), AnyText()) == "g"
    assert fast.reads < slow.reads


def test_a_call_that_never_ends_is_given_up_at_the_room() -> None:
    model = Characters({"#": {"f": 0.5, "g": 0.5}, **chain("f(1)"), **chain("g(" + "1" * 99)})
    assert choose(model, comparison(), AnyText()) == "f"
    assert model.reads <= len("f(1") + 40


def test_whoever_waits_no_longer_ends_the_comparison() -> None:
    def check() -> None:
        raise GenerationCancelledError("gone")

    chooser = Comparison(
        NAMES, syntax=MARK, spelling=Bytes(), guess=lambda _: [], most=2, check=check
    )
    with pytest.raises(GenerationCancelledError):
        choose(undecided(0.6, 0.4), chooser, AnyText())


FAMILIES = [
    (MARK, "#", "f(a='g(')", "#"),
    (CallSyntax(opening="", separator=", ", closing=""), "", "f(a=[1, 2])", ","),
    (CallSyntax(opening="[", separator=", ", closing="]"), "[", "f(a={'g': 1})", ","),
    (CallSyntax(opening="<c>", separator="\n", closing="</c>"), "<c>", "f()", ""),
    (CallSyntax(opening="Call: ", separator="; ", closing="<e>"), "Call:", "f(a=1)", ";"),
]


@pytest.mark.parametrize(("syntax", "opening", "call", "between"), FAMILIES)
def test_guesses_end_where_a_name_begins(
    syntax: CallSyntax, opening: str, call: str, between: str
) -> None:
    text = f"{syntax.opening}{call}{syntax.separator}g(a=2){syntax.closing}"

    def guessed(answer: str) -> str:
        chooser = comparison(guess=text[len(answer) :], syntax=syntax)
        return bytes(chooser.guess(answer.encode())).decode()

    assert guessed("") == opening
    begun = f"{syntax.opening}f("
    assert guessed(begun) == text[len(begun) : len(syntax.opening + call)] + between
    assert guessed(syntax.opening + call + syntax.separator) == ""


# --- With the bundled model ---


def asked(count: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Give prompts that offer several functions, and the functions."""
    for one in dataset.unseen(9, ("multiple",), count, held_out=False):
        yield prompts.prompt_before(one, 0), [dict(each) for each in one.functions]


def probability(engine: TransformersEngine, prompt: str, call: str) -> float:
    """Give the logarithm of a call's probability, read at once."""
    loaded = engine._loaded
    begun, whole = (loaded.encoder.encode((text,)) for text in (prompt, prompt + call))
    with torch.no_grad():
        scores = loaded.weights(input_ids=torch.tensor([whole])).logits[0].float().log_softmax(-1)
    places = range(len(begun) - 1, len(whole) - 1)
    return sum(float(scores[place, whole[place + 1]]) for place in places)


def test_the_call_that_is_made_is_more_probable_than_the_greedy_one(
    engine: TransformersEngine,
) -> None:
    engine.load()
    changed = 0
    given = list(asked(30))
    greedy, compared = (
        generate.constrained_answers(bundled.path(), given, compared=count) for count in (1, 3)
    )
    for (prompt, _), *answers in zip(given, greedy, compared, strict=True):
        calls = [
            f"<<function>>{each.split('<<function>>')[1]}" for each in answers if each[:1] == "<"
        ]
        if len({call.partition("(")[0] for call in calls}) == 2:
            changed += 1
            before, now = (probability(engine, prompt, call) for call in calls)
            assert now > before
    assert changed


def get_weather(city: str) -> str:
    """Get the weather."""
    return city


def get_time(city: str) -> str:
    """Get the local time."""
    return city


def model(**options: Any) -> Any:
    return ChatGorilla(model="bundled", max_tokens=60, **options).bind_tools(
        [get_weather, get_time]
    )


async def test_every_path_compares_alike() -> None:
    bound, question = model(compare_functions=2), "What is it like in Oslo and in Rome?"
    invoked = bound.invoke(question).tool_calls
    assert invoked
    told = [
        [(call["name"], call["args"]) for call in calls]
        for calls in (
            invoked,
            (await bound.ainvoke(question)).tool_calls,
            sum(list(bound.stream(question))[1:], start=next(bound.stream(question))).tool_calls,
            model().invoke(question, compare_functions=2).tool_calls,
        )
    ]
    assert all(each == told[0] for each in told)


def test_where_nothing_can_be_compared_nothing_changes() -> None:
    alone = ChatGorilla(model="bundled", max_tokens=60, compare_functions=3)
    assert (
        alone.invoke("Hello!").text
        == ChatGorilla(model="bundled", max_tokens=60).invoke("Hello!").text
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.7}, "temperature=0.7 was given"),
        ({"strict": False}, "needs a constraint"),
        ({"compare_functions": 0}, "a whole number, at least 1"),
        ({"compare_functions": True}, "a whole number, at least 1"),
    ],
)
def test_what_cannot_be_compared_is_refused(options: dict[str, Any], message: str) -> None:
    bound = model(compare_functions=2)
    with pytest.raises(UnsupportedOptionError, match=message):
        bound.invoke("Hi", **options)


def test_without_a_constraint_nothing_is_compared() -> None:
    with pytest.raises(UnsupportedOptionError, match="compare_functions=2 needs a constraint"):
        ChatGorilla(model="bundled", compare_functions=2, constrained=False)
    with pytest.raises(UnsupportedOptionError, match="compare_functions=2 needs a constraint"):
        ChatGorilla(model="bundled", constrained=False).invoke("Hi", compare_functions=2)


def test_a_model_that_keeps_no_past_cannot_compare(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langchain_gorilla.engines.generation.can_cut", lambda weights: False)
    with pytest.raises(UnsupportedOptionError, match="keeps no past"):
        model(compare_functions=2).invoke("Weather in Oslo?")

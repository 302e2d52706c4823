"""Functions compared by the calls that would follow."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pytest
import torch
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage

from langchain_gorilla import ChatGorilla, bundled
from langchain_gorilla.binding import ToolChoice, read_demand
from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.constraining import answer_constraint, compared_functions
from langchain_gorilla.engines.base import Compared, Evidence
from langchain_gorilla.engines.comparing import LEAST_SHARE, Comparison
from langchain_gorilla.engines.prefix_cache import PrefixCache
from langchain_gorilla.engines.transformers import TransformersEngine, load_engine
from langchain_gorilla.errors import (
    DeadEndError,
    GenerationCancelledError,
    UnsupportedOptionError,
)
from langchain_gorilla.formats.nexusraven import NexusRaven
from langchain_gorilla.functions import function_set
from langchain_gorilla.grammar import compiler
from langchain_gorilla.training import dataset, generate, prompts
from tests.engines.characters import MARK, Bytes

# --- By itself, on a made-up model whose tokens are characters ---

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
    """A constraint that allows every character but some, and knows what it consumed."""

    end_ids = frozenset([END])
    complete = False

    def __init__(self, forbidden: str = "", dead_after: str = "?") -> None:
        self.forbidden = forbidden
        self.dead_after = dead_after
        self.tokens: list[int] = []

    def forced(self) -> list[int]:
        return []

    def try_consume(self, tokens: Sequence[int]) -> int:
        assert len(tokens) == 1
        if chr(tokens[0]) in self.forbidden or bytes(self.tokens).endswith(
            self.dead_after.encode()
        ):
            return 0
        self.tokens += tokens
        return 1

    def consume(self, tokens: Sequence[int]) -> None:
        for token in tokens:
            if not self.try_consume([token]):
                raise DeadEndError("Nothing fits.")

    def rollback(self, count: int) -> None:
        del self.tokens[len(self.tokens) - count :]

    def fork(self) -> "AnyText":
        copy = AnyText(self.forbidden, self.dead_after)
        copy.tokens = self.tokens[:]
        return copy


def chain(text: str, after: str = "#") -> dict[str, dict[str, float]]:
    """Go on with a text for certain, once its first character is there."""
    return {after + text[:place]: {text[place]: 1.0} for place in range(1, len(text))}


def comparison(
    *names: str, most: int = 3, guess: str = "", syntax: CallSyntax = MARK, **more: Any
) -> Comparison:
    compared = Compared(functions=names or ("f", "g"), most=most)
    guessed = list(guess.encode())
    vocabulary: Any = Bytes()
    return Comparison(
        compared, syntax=syntax, vocabulary=vocabulary, guess=lambda answer: guessed, **more
    )


def choose(
    model: Characters,
    chooser: Comparison,
    limits: AnyText | None = None,
    answer: str = "#",
    best: str = "",
) -> str:
    """Give what is chosen after an answer; see that nothing else has changed."""
    model.tokens = list(answer.encode())
    constraint: Any = limits or AnyText()
    constraint.tokens = list(answer.encode())
    row = model.row(len(answer))
    token = chooser.choose(
        model.tokens[:],
        row,
        ord(best) if best else int(row.argmax()),
        sequence=model,
        constraint=constraint,
        pick=lambda answer, row, limits: int(row.argmax()),
        room=40,
    )
    assert bytes(model.tokens) == bytes(constraint.tokens) == answer.encode()
    return chr(token)


def undecided(f: float, g: float) -> Characters:
    """A model that finds ``f`` likelier, and then does not know with what to call it."""
    unsure = {"#f(": {"1": 0.3, "2": 0.25}, "#f(1": {")": 1.0}}
    return Characters({"#": {"f": f, "g": g}, **chain("f(1)"), **chain("g(2)"), **unsure})


def test_the_function_with_the_likeliest_call_is_chosen() -> None:
    chooser = comparison()
    assert choose(undecided(0.6, 0.4), chooser) == "g"
    # The call that won is what the loop is to read next.
    assert bytes(chooser.guess(b"#")) == b"g(2)"
    assert bytes(chooser.guess(b"#g(")) == b"2)"


def test_the_likeliest_name_stays_where_its_call_is_likelier() -> None:
    assert choose(undecided(0.9, 0.1), comparison()) == "f"


def test_what_else_speaks_for_a_function_counts_for_its_call() -> None:
    evidence = Evidence(
        syntax=MARK,
        functions=("f", "g"),
        nats=lambda calls: {"f": 3.0} if calls else {"g": 0.1},
    )
    assert choose(undecided(0.6, 0.4), comparison(evidence=evidence)) == "g"
    behind = "#f(0)#"
    calls = {**chain("f(1)", behind), **chain("g(2)", behind)}
    unsure = {f"{behind}f(": {"1": 0.3, "2": 0.25}, f"{behind}f(1": {")": 1.0}}
    model = Characters({behind: {"f": 0.6, "g": 0.4}, **calls, **unsure})
    assert choose(model, comparison(), answer=behind) == "g"
    assert choose(model, comparison(evidence=evidence), answer=behind) == "f"


def test_what_is_all_but_certain_is_not_compared() -> None:
    model = undecided(0.9, 0.9 * LEAST_SHARE * 0.9)
    assert choose(model, comparison()) == "f"
    assert model.reads == 0


def test_what_the_constraint_forbids_is_not_compared() -> None:
    model = undecided(0.6, 0.4)
    assert choose(model, comparison(), AnyText(forbidden="g")) == "f"
    assert model.reads == 0


def test_no_more_are_compared_than_were_asked_for() -> None:
    shares = {"#": {"f": 0.4, "g": 0.3, "h": 0.3}}
    model = Characters({**shares, **chain("f(1)"), **chain("g(1)"), **chain("h(1)")})
    assert choose(model, comparison("f", "g", "h", most=2)) == "f"
    assert model.reads == len("f(1") + len("g(1")


@pytest.mark.parametrize("share_of_f", [0.0, 0.01, 0.1, 0.2])
def test_functions_are_compared_not_their_first_tokens(share_of_f: float) -> None:
    shares = {
        "#": {"g": 1 - share_of_f, "f": share_of_f},
        "#g": {"a": 0.6, "b": 0.4},
        "#ga(": {"1": 0.3, "2": 0.25},
        "#ga(1": {")": 1.0},
    }
    model = Characters({**chain("gb(2)"), **chain("f(3)"), **chain("ga("), **shares})
    chooser = comparison("ga", "gb", "f")
    answer = "#"
    while not answer.endswith("("):
        answer += choose(model, chooser, answer=answer)
    assert answer == "#gb("


def test_a_name_that_another_begins_with_is_compared_with_it() -> None:
    shares = {"#f": {"(": 0.6, "x": 0.4}, "#f(": {"1": 0.3, "2": 0.25}, "#f(1": {")": 1.0}}
    model = Characters({"#": {"f": 1.0}, **chain("fx(2)"), **shares})
    chooser = comparison("f", "fx")
    assert choose(model, chooser, answer="#f") == "x"


def test_arguments_of_one_function_are_not_compared() -> None:
    shares = {"#f(": {"1": 0.6, ")": 0.4}, "#f(1": {")": 0.3, "2": 0.25}}
    model = Characters({"#": {"f": 1.0}, "#f": {"(": 1.0}, **shares})
    for answer in ("#f", "#f("):
        choose(model, comparison(), answer=answer)
    assert model.reads == 0


@pytest.mark.parametrize("best", ["n", "f"])
def test_text_is_not_compared_with_calls(best: str) -> None:
    shares = {"n": 0.5, "f": 0.3, "g": 0.2} if best == "n" else {"f": 0.5, "n": 0.4}
    model = Characters({"#": shares, **chain("f(1)"), **chain("g(1)"), **chain("n(1)")})
    assert choose(model, comparison()) == best
    assert model.reads == 0


def test_the_greedy_name_is_always_among_them() -> None:
    """Penalties may make another name the best than the model's own scores do."""
    model = Characters({"#": {"f": 0.5, "g": 0.2}, **chain("f(1)"), **chain("g(1)")})
    assert choose(model, comparison(most=1), best="g") == "g"


def test_guesses_make_comparing_cheaper_and_change_nothing() -> None:
    slow, fast = undecided(0.6, 0.4), undecided(0.6, 0.4)
    assert choose(slow, comparison()) == "g"
    assert choose(fast, comparison(guess="(2)")) == "g"
    assert fast.reads < slow.reads


def test_a_call_that_never_ends_does_not_win() -> None:
    model = Characters({"#": {"f": 0.4, "g": 0.6}, **chain("f(1)"), **chain("g(" + "1" * 99)})
    assert choose(model, comparison()) == "f"
    neither = Characters(
        {"#": {"f": 0.4, "g": 0.6}, **chain("f(" + "1" * 99), **chain("g(" + "1" * 99)}
    )
    assert choose(neither, comparison()) == "g"


def test_a_call_that_nothing_can_finish_does_not_end_the_answer() -> None:
    assert choose(undecided(0.6, 0.4), comparison(), AnyText(dead_after="g(")) == "f"
    assert choose(undecided(0.6, 0.4), comparison(), AnyText(dead_after="(")) == "f"


def test_whoever_waits_no_longer_ends_the_comparison() -> None:
    def check() -> None:
        raise GenerationCancelledError("gone")

    model = undecided(0.6, 0.4)
    with pytest.raises(GenerationCancelledError):
        choose(model, comparison(check=check))
    assert bytes(model.tokens) == b"#"


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


@pytest.mark.parametrize(
    ("syntax", "answer"),
    [
        (CallSyntax(opening="<c>", separator=";", closing="</c>"), "Let me call f(1): <c>"),
        (MARK, "<think>Could be f(1) or #g(2).</think>#"),
        (CallSyntax(opening="", separator=", ", closing=""), " "),
        (CallSyntax(opening="[", separator=", ", closing="]"), "["),
    ],
)
def test_a_name_is_chosen_behind_space_text_and_thought(syntax: CallSyntax, answer: str) -> None:
    calls = {**chain("f(1)", answer), **chain("g(2)", answer)}
    unsure = {f"{answer}f(": {"1": 0.3, "2": 0.25}, f"{answer}f(1": {")": 1.0}}
    model = Characters({answer: {"f": 0.6, "g": 0.4}, **calls, **unsure})
    assert choose(model, comparison(syntax=syntax), answer=answer) == "g"


def test_nothing_is_chosen_in_a_thought() -> None:
    answer = "<think>#"
    model = Characters({answer: {"f": 0.6, "g": 0.4}})
    assert choose(model, comparison(), answer=answer) == "f"
    assert model.reads == 0


# --- With the bundled model ---


def asked(count: int) -> Iterator[generate.Prompt]:
    """Give prompts that offer several functions."""
    for one in dataset.unseen(9, ("multiple",), count, held_out=False):
        yield generate.Prompt(prompts.prompt_before(one, 0), one.functions)


def probability(engine: TransformersEngine, prompt: str, call: str) -> float:
    """Give the logarithm of a call's probability, read at once."""
    loaded = engine._loaded
    begun, whole = (loaded.encoder.encode((text,)) for text in (prompt, prompt + call))
    with torch.no_grad():
        scores = loaded.weights(input_ids=torch.tensor([whole])).logits[0].float().log_softmax(-1)
    places = range(len(begun) - 1, len(whole) - 1)
    return sum(float(scores[place, whole[place + 1]]) for place in places)


def test_the_call_that_is_made_is_more_probable_than_the_greedy_one() -> None:
    # The weights that chose, in their dtype: near-ties fall differently in another.
    engine = load_engine(bundled.path())
    engine.load()
    changed, given = 0, asked(240)
    while not changed and (some := list(islice(given, 30))):
        greedy, compared = (
            generate.constrained_answers(bundled.path(), some, compared=count) for count in (1, 3)
        )
        for prompt, *answers in zip(some, greedy, compared, strict=True):
            calls = [
                f"<<function>>{each.split('<<function>>')[1]}"
                for each in answers
                if each[:1] == "<"
            ]
            if len({call.partition("(")[0] for call in calls}) == 2:
                changed += 1
                before, now = (probability(engine, prompt.text, call) for call in calls)
                assert now > before
    assert changed


def get_weather(city: str) -> str:
    """Get the weather."""
    return city


def get_time(city: str) -> str:
    """Get the local time."""
    return city


def model(**options: Any) -> Any:
    return ChatGorilla(model="bundled", dtype="float32", max_tokens=60, **options).bind_tools(
        [get_weather, get_time]
    )


async def test_every_path_compares() -> None:
    bound, question = model(compare_functions=2), "What is it like in Oslo and in Rome?"
    streamed = list(bound.stream(question))
    answers = [
        bound.invoke(question),
        await bound.ainvoke(question),
        sum(streamed[1:], start=streamed[0]),
        model().invoke(question, compare_functions=2),
    ]
    calls = [[(call["name"], call["args"]) for call in one.tool_calls] for one in answers]
    assert calls[0]
    assert all(each == calls[0] for each in calls)
    greedy = model().invoke(question).response_metadata["forward_passes"]
    assert all(one.response_metadata["forward_passes"] > greedy for one in answers)


def test_answers_that_are_decoded_together_compare_by_themselves() -> None:
    questions = [f"What is it like in {place}?" for place in ("Oslo", "Rome", "Lima", "Quito")]
    alone = [model(compare_functions=2).invoke(one).tool_calls for one in questions]
    together = model(compare_functions=2, max_batch_size=4).batch(questions)
    for one, other in zip(alone, together, strict=True):
        assert [(call["name"], call["args"]) for call in one] == [
            (call["name"], call["args"]) for call in other.tool_calls
        ]


def test_comparing_goes_with_a_demanded_probability() -> None:
    answer = model(compare_functions=2, min_call_probability=1.0).invoke("Is it late in Rome?")
    assert not answer.tool_calls
    assert answer.text


def calls_of(answer: Any) -> list[tuple[str, Any]]:
    return [(call["name"], call["args"]) for call in answer.tool_calls]


def test_a_penalty_for_repetition_is_kept_and_the_calls_still_compared() -> None:
    question = "What is it like in Oslo and in Rome?"
    penalised = model(repetition_penalty=1.2)
    options = {"compare_functions": 2, "tool_choice": "any"}
    greedy = penalised.invoke(question, tool_choice="any")
    compared = penalised.invoke(question, **options)
    again = sum(penalised.stream(question, **options), start=AIMessageChunk(""))
    assert calls_of(compared) == calls_of(again) != []
    passes = [one.response_metadata["forward_passes"] for one in (greedy, compared)]
    assert passes[1] > passes[0]


def test_a_grammar_made_on_the_way_compares_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    others = [
        {"name": f"get_{one}", "description": f"Get the {one} of a city.", "parameters": city}
        for one in ("tides", "traffic", "prices", "news", "scores", "levels")
    ]
    bound = ChatGorilla(
        model="bundled", dtype="float32", max_tokens=60, compare_functions=3
    ).bind_tools([get_weather, get_time, *others])
    question = "Get the local time in Oslo and the weather in Rome."
    on_the_way = bound.invoke(question)
    monkeypatch.setattr(compiler, "LAZY_ABOVE", 20)
    assert calls_of(on_the_way) == calls_of(bound.invoke(question)) != []


def test_calls_that_lost_stay_out_of_the_next_turns_past(
    engine: TransformersEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = model(compare_functions=2)
    first = bound.invoke("What is it like in Oslo?")
    results = [ToolMessage("9 C", tool_call_id=one["id"]) for one in first.tool_calls]
    spoken = ["What is it like in Oslo?", first, *results, HumanMessage("And in Rome?")]
    warm = bound.invoke(spoken)
    assert warm.usage_metadata["input_token_details"]["cache_read"] > 0
    monkeypatch.setattr(engine._loaded, "prefixes", PrefixCache(0))
    cold = bound.invoke(spoken)
    assert "input_token_details" not in cold.usage_metadata
    assert (warm.text, calls_of(warm)) == (cold.text, calls_of(cold))


def test_a_refusal_is_no_function_to_compare_with() -> None:
    functions = function_set([get_weather])
    constraint = answer_constraint(NexusRaven(), functions, read_demand({}, functions))
    assert constraint is not None
    assert len(constraint.functions) == 2
    assert compared_functions(NexusRaven(), functions, ToolChoice(), constraint, most=3) is None


@pytest.mark.parametrize("choice", ["none", "get_time"])
def test_a_demand_that_leaves_no_choice_is_not_compared(choice: str) -> None:
    answer = model(compare_functions=3).invoke("Weather in Oslo?", tool_choice=choice)
    plain = model().invoke("Weather in Oslo?", tool_choice=choice)
    assert answer.text == plain.text
    assert [call["args"] for call in answer.tool_calls] == [c["args"] for c in plain.tool_calls]


def test_where_nothing_can_be_compared_nothing_changes() -> None:
    alone = ChatGorilla(model="bundled", dtype="float32", max_tokens=60, compare_functions=3)
    assert (
        alone.invoke("Hello!").text
        == ChatGorilla(model="bundled", dtype="float32", max_tokens=60).invoke("Hello!").text
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.7}, "temperature=0.7 was given. Leave one"),
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
    with pytest.raises(UnsupportedOptionError, match="temperature=1 was given"):
        ChatGorilla(model="bundled", compare_functions=2, temperature=1)
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

"""Conversations of several turns: results come back, are answered from, lead to more calls."""

import re
from collections.abc import Sequence

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.training.chains import Chain, chains, found_content, new_chain
from langchain_gorilla.training.documents import (
    OfferedFunction,
    draw_style,
    draw_value,
    offer,
)
from langchain_gorilla.training.phrasing import phrases
from langchain_gorilla.training.prompts import Conversation, Result, Turn, write_calls
from langchain_gorilla.training.questions import Asked
from langchain_gorilla.training.requests import Requests, distinct, documents
from langchain_gorilla.training.results import Maker, answer, as_error, draw_maker, fill, templates
from langchain_gorilla.training.values import Values

REFUSAL = "Sorry, none of the available functions can help with that."


class Dialogues:
    """Makes conversations of several turns; each method gives one, or None to try again."""

    def __init__(self, requests: Requests) -> None:
        """Draw from ``requests``."""
        self.requests = requests
        self.values = requests.values
        self.rng = requests.rng
        self.ask = requests.ask

    def _makers(self, calls: Sequence[FunctionCall]) -> dict[str, Maker]:
        return {call.name: draw_maker(self.values) for call in calls}

    def _run(
        self, calls: Sequence[FunctionCall], makers: dict[str, Maker], error_rate: float = 0.0
    ) -> tuple[Result, ...]:
        """Return something for every call, now and then an error that nothing can mend."""
        results = []
        for call in calls:
            if self.rng.random() < error_rate:
                text = fill(self.values, self.rng.choice(templates("error")), call)
                results.append(Result(call, as_error(self.values, text), True))
            else:
                results.append(Result(call, makers[call.name](call)))
        return tuple(results)

    def _asked_mix(self) -> tuple[Asked, list[OfferedFunction]] | None:
        kinds = ["simple", "multiple", "parallel", "parallel_multiple"]
        return self.requests.asked(self.rng.choices(kinds, [0.25, 0.25, 0.35, 0.15])[0])

    def answer(self) -> Conversation | None:
        """Ask, get results, answer from them; then often a follow-up."""
        made = self._asked_mix()
        if made is None:
            return None
        asked, functions = made
        rate = 0.12 if self.rng.random() < 0.5 else 0.0
        results = self._run(asked.calls, self._makers(asked.calls), rate)
        turns = [
            Turn(self.ask.phrasing.polish(asked.question), (), write_calls(asked.calls)),
            Turn(None, results, answer(results)),
        ]
        turns += self._follow_up(functions, asked)
        return Conversation("answer", documents(functions), tuple(turns), calls=asked.calls)

    def _follow_up(self, functions: Sequence[OfferedFunction], asked: Asked) -> list[Turn]:
        """Say thanks, ask for another value, or ask something new; mostly nothing."""
        style = self.rng.random()
        if style < 0.1:
            return [small_talk(self.values, "thanks")]
        if style > 0.4:
            return []
        if style < 0.25:
            again = self._another_value(functions, asked.calls[-1])
        elif again := self.ask.one(self.rng.choice(list(functions))):
            again = Asked(self.ask.phrasing.polish(again.question), again.calls)
        if again is None or not distinct([*asked.calls, *again.calls]):
            return []
        turns = [Turn(again.question, (), write_calls(again.calls))]
        if self.rng.random() < 0.5:
            results = self._run(again.calls, self._makers(again.calls))
            turns.append(Turn(None, results, answer(results)))
        return turns

    def _another_value(
        self, functions: Sequence[OfferedFunction], call: FunctionCall
    ) -> Asked | None:
        """Ask for a call again with another value: "And in Oslo?"."""
        return self.ask.follow_up(next(one for one in functions if one.name == call.name), call)

    def session(self) -> Conversation | None:
        """Ask two to four things of the same few functions, one after the other.

        The functions are read once and used often, which teaches more per token.
        """
        rng, style = self.rng, draw_style(self.rng)
        functions = list(self.requests.offered)
        if not functions:
            first = offer(self.values, self.requests.concept(), style)
            count = rng.choice([0, 1, 1, 2, 2, 3])
            functions = self.requests.with_distractors([first], count, style)
        turns: list[Turn] = []
        calls: list[FunctionCall] = []
        for _ in range(rng.choice([2, 3, 3, 4])):
            if len(functions) < 4 and rng.random() < 0.06:
                question = self.values.fill(rng.choice(phrases("unknown")))
                turns.append(Turn(question, (), REFUSAL))
                continue
            # Behind a refusal, "And in Oslo?" would ask for what cannot be done.
            if calls and turns[-1].response != REFUSAL and rng.random() < 0.35:
                asked = self._another_value(functions, calls[-1])
            elif asked := self.requests.of_these(functions):
                asked = Asked(self.ask.phrasing.polish(asked.question), asked.calls)
            if asked is None or not distinct([*calls, *asked.calls]):
                continue
            calls += asked.calls
            turns.append(Turn(asked.question, (), write_calls(asked.calls)))
            if rng.random() < 0.3:
                results = self._run(asked.calls, self._makers(asked.calls), 0.05)
                turns.append(Turn(None, results, answer(results)))
        if len(turns) < 2:
            return None
        return Conversation("session", documents(functions), tuple(turns))

    def chain(self) -> Conversation | None:
        """Look something up, then call the next function with what was found.

        More than half of the time, with such functions at hand, one call is all that is asked for;
        else a model learns to look something up whatever the question.
        """
        rng, style = self.rng, draw_style(self.rng)
        chain = rng.choice(chains()) if rng.random() < 0.7 else new_chain(self.values)
        known = chain.look_up.parameters[0]
        first = offer(self.values, chain.look_up, style)
        second = offer(self.values, chain.use, style)
        if first.name == second.name:
            return None
        count = rng.choices([0, 1, 2, 3], [0.2, 0.25, 0.25, 0.3])[0]
        functions = self.requests.with_distractors([first, second], count, style)
        value = str(self.values.draw(known.kind))
        found = str(self.values.draw(chain.kind))
        if rng.random() < 0.55:
            return self._one_of_chain(chain, functions, first, second, value, found)
        question = rng.choice(chain.use.questions).replace("{x}", value)
        calls = [first.call({known.key: value}), second.call({"key": found})]
        results = [
            Result(calls[0], found_content(self.values, chain.key, found)),
            *self._run(calls[1:], self._makers(calls)),
        ]
        turns = (
            Turn(self.ask.phrasing.polish(question), (), write_calls(calls[:1])),
            Turn(None, (results[0],), write_calls(calls[1:])),
            Turn(None, (results[1],), answer(results)),
        )
        return Conversation("chain", documents(functions), turns, calls=tuple(calls[:1]))

    def _one_of_chain(
        self,
        chain: Chain,
        functions: Sequence[OfferedFunction],
        first: OfferedFunction,
        second: OfferedFunction,
        value: str,
        found: str,
    ) -> Conversation | None:
        """Ask for the look-up alone, for what the identifier is given to, or for neither."""
        others = [one for one in functions if one not in (first, second)]
        style = self.rng.random()
        if others and style < 0.6:
            asked = self.ask.one(self.rng.choice(others))
        elif style < 0.85:
            template = self.rng.choice(chain.use.questions)
            named = chain.noun in template or self.rng.random() < 0.4
            question = template.replace("{x}", found if named else f"{chain.noun} {found}")
            asked = Asked(question, (second.call({"key": found}),))
        else:
            lead = self.rng.choice(["Find the", "Look up the", "Search the", "Get the id of the"])
            call = first.call({chain.look_up.parameters[0].key: value})
            asked = Asked(f"{lead} {chain.noun} {value}", (call,))
        if asked is None:
            return None
        results = self._run(asked.calls, self._makers(asked.calls))
        turns = (
            Turn(self.ask.phrasing.polish(asked.question), (), write_calls(asked.calls)),
            Turn(None, results, answer(results)),
        )
        return Conversation("chain", documents(functions), turns, calls=asked.calls)

    def error(self) -> Conversation | None:
        """A call fails with a hint: call again as the error says, then answer."""
        made = self.requests.asked(self.rng.choice(["simple", "multiple", "multiple", "parallel"]))
        if made is None:
            return None
        asked, functions = made
        index = self.rng.randrange(len(asked.calls))
        call = asked.calls[index]
        function = next(one for one in functions if one.name == call.name)
        open_slots = [
            slot
            for slot in function.slots
            if isinstance(call.arguments.get(slot.name), str) and slot.parameter.kind != "TEXT"
        ]
        if not open_slots:
            return None
        slot = self.rng.choice(open_slots)
        value = str(call.arguments[slot.name])
        if slot.choices or self.rng.random() < 0.3:
            other = str(draw_value(self.values, slot))
        else:
            other = self.values.respelled(value)
        if other.lower() == value.lower():
            return None
        # Either the question asks for what the tool does not know, and the tool says what it
        # knows; or the call was written wrong (then it is shown, not learned).
        asked_wrong = self.rng.random() < 0.75
        bad, good = (value, other) if asked_wrong else (other, value)
        failed = FunctionCall(call.name, {**call.arguments, slot.name: bad})
        mended = FunctionCall(call.name, {**call.arguments, slot.name: good})
        calls = [*asked.calls[:index], failed, *asked.calls[index + 1 :]]
        if not distinct([*calls, mended]):
            return None
        hint = self.rng.choice(templates("fix")).replace("{bad}", bad).replace("{good}", good)
        hint = hint.replace("{name}", slot.name)
        if slot.choices and "Allowed" in hint:
            hint = hint.replace(f"Allowed: {good}", f"Allowed: {', '.join(slot.choices)}")
            if asked_wrong and len(slot.choices) != 2:
                return None
        makers = self._makers(asked.calls)
        results = list(self._run(calls, makers))
        results[index] = Result(failed, as_error(self.values, hint), True)
        again = self._run([mended], makers)
        fine = [one for one in results if not one.is_error]
        turns = (
            Turn(
                self.ask.phrasing.polish(asked.question),
                (),
                write_calls(calls),
                learned=asked_wrong,
            ),
            Turn(None, tuple(results), write_calls([mended])),
            Turn(None, again, answer([*fine, *again])),
        )
        return Conversation("error", documents(functions), turns, calls=tuple(calls))

    def remaining(self) -> Conversation | None:
        """Only some calls were made at first: make the others, then answer from all."""
        made = self.requests.asked(self.rng.choice(["parallel", "parallel_multiple"]))
        if made is None:
            return None
        asked, functions = made
        done = self.rng.randrange(1, len(asked.calls))
        makers = self._makers(asked.calls)
        results = self._run(asked.calls, makers)
        turns = (
            Turn(
                self.ask.phrasing.polish(asked.question),
                (),
                write_calls(asked.calls[:done]),
                learned=False,
            ),
            Turn(None, results[:done], write_calls(asked.calls[done:])),
            Turn(None, results[done:], answer(results)),
        )
        return Conversation("remaining", documents(functions), turns, calls=asked.calls)


def small_talk(values: Values, kind: str) -> Turn:
    """Say something that needs no function, and reply: a line of ``phrases.txt``."""
    question, _, reply = values.rng.choice(phrases(kind)).partition(" => ")
    drawn: list[str] = []

    def draw(match: re.Match[str]) -> str:
        drawn.append(str(values.draw(match[1])))
        return drawn[-1]

    question = re.sub(r"\{([A-Z_]+)\}", draw, question)
    return Turn(question, (), reply.replace("{0}", drawn[0]) if drawn else reply)

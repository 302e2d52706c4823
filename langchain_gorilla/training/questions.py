"""What people ask, and the calls that answer it.

One call, the same function for several values, several functions: in the phrasings that
people use.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from langchain_gorilla.calls import FunctionCall, JSONValue
from langchain_gorilla.training.documents import OfferedFunction, Slot, draw_value
from langchain_gorilla.training.phrasing import Phrasing
from langchain_gorilla.training.plain_questions import (
    follow_up,
    lead,
    once_more,
    one_call,
    several_calls,
    words_of,
)
from langchain_gorilla.training.templates import (
    PREPOSITIONS,
    Template,
    before_mark,
    fill,
    in_a_row,
    varied_segment,
    write_value,
    written,
)
from langchain_gorilla.training.values import Values

_GLUED = re.compile(r"(?<=\}) (?=(?:kg|g|mg|m|cm|mm|km|km/h|m/s|N|J|V|A|K|C|W|L|ml|s|MB|GB|Hz)\b)")
_QUOTED = re.compile("[\"'(]")
_NUMBERED = re.compile(r"\{((\w+)(?:\.(\d))?)\}")

SINGLY_SHARE = 0.4
"""Share of questions for one call that are written for one, where its function has some."""


@dataclass(frozen=True)
class Asked:
    """A question and the calls that answer it, in the order of the question."""

    question: str
    calls: tuple[FunctionCall, ...]


class Asker:
    """Writes questions about offered functions."""

    def __init__(self, values: Values, *, hard: float = 0.0) -> None:
        """Draw from ``values``.

        Args:
            values: Gives values and chance.
            hard: Share of questions of a file that are, of two, the one with more values.
        """
        self.values, self.hard = values, hard
        self.rng = values.rng
        self.phrasing = Phrasing(values)

    def one(self, function: OfferedFunction) -> Asked | None:
        """Ask for one call; None where no template covers the required parameters."""
        template = self._singly(function) or self._template(function)
        if template is None:
            return None
        arguments = {key: draw_value(self.values, slot) for key, slot in template.slots.items()}
        texts = {key: self._spelled(value, key, template) for key, value in arguments.items()}
        if not _QUOTED.search(template.text):
            for key, text in texts.items():
                if arguments[key] == text and not template.slots[key].choices:
                    texts[key] = self.phrasing.set_off(text)
        question = fill(template.text, texts)
        return Asked(question, (function.call({**arguments, **template.flags}),))

    def together(self, function: OfferedFunction) -> Asked | None:
        """Ask for several calls by a question written for them; None where there is none.

        In "Is it warmer in {c.1} or in {c.2}?" two calls have values of their own; ``{c}`` would
        be one value for both. The numbers follow the order in which the calls are mentioned.
        """
        slots = {slot.parameter.key: slot for slot in function.slots}
        text = self._written("questions_together.txt", function)
        if text is None:
            return None
        places = _NUMBERED.findall(text)
        template = Template(text, {place: slots[key] for place, key, _ in places}, {})
        rows = range(1, 1 + max(int(number or 0) for _, _, number in places))
        arguments: list[dict[str, JSONValue]] = [{} for _ in rows]
        texts: dict[str, str] = {}
        for place, key, number in places:
            told = arguments if not number else [arguments[int(number) - 1]]
            value = self._further(slots[key], [row[key] for row in arguments if key in row])
            texts[place] = self._spelled(value, place, template)
            if texts[place] == value and not slots[key].choices and not _QUOTED.search(text):
                texts[place] = self.phrasing.set_off(texts[place])
            for row in told:
                row[key] = value
        return Asked(fill(text, texts), tuple(function.call(row) for row in arguments))

    def _singly(self, function: OfferedFunction) -> Template | None:
        """Take a question written for one call, if there is one and chance wants it."""
        text = self._written("questions_singly.txt", function)
        if text is None or self.rng.random() > SINGLY_SHARE:
            return None
        slots = {slot.parameter.key: slot for slot in function.slots}
        return Template(text, {key: slots[key] for _, key, _ in _NUMBERED.findall(text)}, {})

    def _written(self, file: str, function: OfferedFunction) -> str | None:
        """Draw a question of a file whose parameters the function has."""
        known = {slot.parameter.key for slot in function.slots}
        fitting = [
            text
            for text in written(file).get(function.concept.names[0], ())
            if known.issuperset(key for _, key, _ in _NUMBERED.findall(text))
        ]
        if not fitting:
            return None
        drawn = self.rng.choice(fitting)
        if self.hard and self.rng.random() < self.hard:
            return max(drawn, self.rng.choice(fitting), key=lambda text: text.count("{"))
        return drawn

    def _further(self, slot: Slot, before: Sequence[JSONValue]) -> JSONValue:
        """Draw a value that is none of those before it, if there is one."""
        value: JSONValue = None
        for _ in range(20):
            value = draw_value(self.values, slot)
            if isinstance(value, str) and self.rng.random() < 0.8:
                value = value.split(",")[0]  # "Rome, Italy" reads badly in a list
            if value not in before:
                break
        return value

    def same(self, function: OfferedFunction) -> Asked | None:
        """Ask for the same function with two to four values of one or more parameters."""
        template = self._template(function)
        if template is None:
            return None
        rng = self.rng
        open_keys = [
            key
            for key, slot in template.slots.items()
            if slot.json_type in ("string", "integer", "number")
            and slot.parameter.kind != "TEXT"
            and template.text.count(f"{{{key}}}") == 1
        ]
        if not open_keys:
            return None
        # What a question ends with is what people list: "... for Rome, and for Oslo".
        last = max(open_keys, key=lambda key: template.text.find(f"{{{key}}}"))
        varied = [last if rng.random() < 0.5 else rng.choice(open_keys)]
        count = rng.choice([2, 2, 2, 2, 3, 3, 3, 4])
        if len(open_keys) > 1 and rng.random() < 0.4:
            varied = rng.sample(open_keys, rng.choice([2, 2, len(open_keys)]))
        columns: dict[str, list[JSONValue]] = {}
        for key in varied:
            drawn: list[JSONValue] = []
            for _ in range(count):
                drawn.append(self._further(template.slots[key], drawn))
            columns[key] = [one for place, one in enumerate(drawn) if one not in drawn[:place]]
            count = min(count, len(columns[key]))
        if count < 2:
            return None
        fixed = {key: draw_value(self.values, slot) for key, slot in template.slots.items()}
        pair = len(varied) == 2 and not in_a_row(template.text, varied)
        if pair and rng.random() < 0.12:
            return self._crossed(function, template, fixed, {k: v[:2] for k, v in columns.items()})
        rows = [{key: columns[key][row] for key in varied} for row in range(count)]
        question = self._ask_rows(function, template, fixed, rows)
        calls = tuple(function.call({**fixed, **row, **template.flags}) for row in rows)
        return Asked(re.sub(r"\s+", " ", question).strip(), calls)

    def follow_up(self, function: OfferedFunction, call: FunctionCall) -> Asked | None:
        """Ask, after a call, for it with another value, and say no more than that value."""
        rng, given = self.rng, call.arguments
        told = [slot for slot in function.slots if slot.name in given]
        slots = [
            slot
            for slot in told
            if slot.json_type in ("string", "integer", "number") and slot.parameter.kind != "TEXT"
        ]
        if not slots:
            return None
        slot = rng.choice(slots)
        values = [draw_value(self.values, slot) for _ in range(2 if rng.random() < 0.15 else 1)]
        if len({str(value).lower() for value in (*values, given[slot.name])}) <= len(values):
            return None
        places = {one.name: self._prepositions(function, one) for one in told}
        others = [places[one.name] for one in told if one is not slot]
        own = [place for place in places[slot.name] if not any(place in one for one in others)]
        question = follow_up(
            rng,
            slot,
            [self.phrasing.spell(value, slot) for value in values],
            rng.choice(own) if own else "",
            bare=sum(one.json_type == slot.json_type for one in told) == 1,
        )
        calls = [FunctionCall(call.name, {**given, slot.name: value}) for value in values]
        return Asked(question, tuple(calls))

    @staticmethod
    def _prepositions(function: OfferedFunction, slot: Slot) -> list[str]:
        """Give what stands before a parameter in its concept's questions, as often as it does."""
        written = " ".join(function.concept.questions)
        found = re.findall(rf"(\w+) \{{{slot.parameter.key}\}}", written)
        # "How about of 5?" is not what people say.
        return [word for word in found if word in PREPOSITIONS - {"as", "is", "of", "than"}]

    def _crossed(
        self,
        function: OfferedFunction,
        template: Template,
        fixed: Mapping[str, JSONValue],
        columns: Mapping[str, Sequence[JSONValue]],
    ) -> Asked:
        """Ask for every pair of two values each: ``the teams A and B in 2018 and 2020``."""
        first, second = sorted(columns, key=lambda key: template.text.find(f"{{{key}}}"))
        rows = [{first: one, second: other} for one in columns[first] for other in columns[second]]
        texts = {key: self._spelled(value, key, template) for key, value in fixed.items()}
        for key, column in columns.items():
            spelled = [self._spelled(value, key, template) for value in column]
            texts[key] = self.rng.choice([" and ", " and ", " as well as "]).join(spelled)
        calls = tuple(function.call({**fixed, **row, **template.flags}) for row in rows)
        question = fill(template.text, texts)
        if self.rng.random() < 0.6 and ". " not in template.text:
            tail = self.rng.choice([", all combinations", ", each with each", " (every pairing)"])
            question = before_mark(question, tail)
        return Asked(question, calls)

    def _spelled(self, value: JSONValue, key: str, template: Template) -> str:
        return write_value(self.phrasing, value, key, template)

    def several(self, parts: Sequence[Asked]) -> Asked:
        """Join questions into one; the calls keep the order of the question."""
        question = self.phrasing.join([part.question for part in parts])
        return Asked(question, tuple(call for part in parts for call in part.calls))

    def _by_name(self, function: OfferedFunction) -> Template:
        """Ask for a call by the function's own name, as programmers do."""
        rng = self.rng
        slots = [
            slot for slot in function.slots if not slot.parameter.optional or rng.random() < 0.4
        ]
        values = [f"{{{slot.parameter.key}}}" for slot in slots]
        named = ", ".join(f"{slot.name}={value}" for slot, value in zip(slots, values, strict=True))
        plain = f"{', '.join(values[:-1])} and {values[-1]}" if values[1:] else "".join(values)
        # Values without names are the first parameters of the document.
        leading = slots == list(function.slots[: len(slots)])
        positional = leading and rng.random() < 0.6
        written = f"{function.name}({', '.join(values) if positional else named})"
        texts = [f"What is {written}?", f"What does {written} give?", f"Run {written}"]
        texts += [f"What's the value of {written}?", f"Call {written}.", f"Evaluate {written}"]
        if values and leading:
            texts += [f"Use {function.name} with {plain}.", f"Apply {function.name} to {plain}"]
            texts += [f"What does {function.name} return for {plain}?"]
        if values:
            texts += [f"Call the function {function.name} with {named}."]
        return Template(rng.choice(texts), {slot.parameter.key: slot for slot in slots}, {})

    def _template(self, function: OfferedFunction) -> Template | None:
        style = self.rng.random()
        if style < 0.04:
            return self._by_name(function)
        if style < 0.2 and (described := self._by_description(function)):
            return described
        slots = {slot.parameter.key: slot for slot in function.slots}
        needed = {key for key, slot in slots.items() if not slot.parameter.optional}
        for _ in range(8):
            flags: dict[str, JSONValue] = {}

            def keep(match: re.Match[str], flags: dict[str, JSONValue] = flags) -> str:
                text, _, flag = match[1].partition(" @")
                name, _, truth = flag.partition("=")
                keys = re.findall(r"\{(\w+)\}", text) + ([name] if name else [])
                if any(key not in slots for key in keys) or self.rng.random() > 0.55:
                    return ""
                if name:
                    flags[name] = truth == "True"
                return text

            text = re.sub(r"\[([^\]]*)\]", keep, self.rng.choice(function.concept.questions))
            keys = re.findall(r"\{(\w+)\}", text)
            if needed <= {*keys, *flags} and all(key in slots for key in keys):
                if self.rng.random() < 0.15:
                    text = _GLUED.sub("", text)
                return Template(text, {key: slots[key] for key in keys}, flags)
        return None

    def _by_description(self, function: OfferedFunction) -> Template | None:
        """Ask in the words of the function's document."""
        rng, request = self.rng, lead(self.rng, function)
        told = [
            slot for slot in function.slots if not slot.parameter.optional or rng.random() < 0.25
        ]
        told = [one for one in told if one.json_type != "boolean" or not one.parameter.optional]
        if request is None or not told or any(one.json_type == "boolean" for one in told):
            return None
        text = one_call(rng, request, told)
        return Template(text, {slot.parameter.key: slot for slot in told}, {})

    def _ask_rows(
        self,
        function: OfferedFunction,
        template: Template,
        fixed: Mapping[str, JSONValue],
        rows: Sequence[Mapping[str, JSONValue]],
    ) -> str:
        """Ask for all rows of varied values in one question."""
        rng, text, slots = self.rng, template.text, template.slots
        varied = sorted(rows[0], key=lambda key: text.find(f"{{{key}}}"))
        spelled = [{key: self._spelled(row[key], key, template) for key in varied} for row in rows]
        base = {key: self._spelled(value, key, template) for key, value in fixed.items()}
        full = [fill(text, {**base, **row}) for row in spelled]
        if f"{function.name}(" in text:  # written as code, a call has one value in each place
            return self.phrasing.join(full)
        style, changing = rng.random(), [slots[key] for key in varied]
        request = lead(rng, function) if style < 0.25 and not template.flags else None
        if request:
            same = {words_of(slots[key]): base[key] for key in slots if key not in varied}
            return several_calls(rng, request, changing, same, spelled)
        if style < 0.35:
            first = full[0]
            alone = sum(one.json_type == changing[0].json_type for one in slots.values()) == 1
            further = [once_more(rng, changing, row, bare=alone) for row in spelled[1:]]
            return f"{first if first[-1] in '?.' else first + '.'}{''.join(further)}"
        if in_a_row(text, varied):
            return self.phrasing.join(full)
        if len(varied) == 1 and rng.random() < 0.66:
            key = varied[0]
            before = text[: text.find(f"{{{key}}}")].split()
            framed = "(" not in text and (not before or before[-1].lower() in PREPOSITIONS)
            kind = slots[key].parameter.kind if framed else ""
            joined = self.phrasing.listing([row[key] for row in spelled], kind)
            question = fill(text, {**base, key: joined})
            if rng.random() < 0.1:
                tail = rng.choice([" separately", ", one at a time", " individually", ", each"])
                question = before_mark(question, tail)
            return question
        if len(varied) == 2 and rng.random() < 0.3:
            columns = {key: [row[key] for row in spelled] for key in varied}
            lists = {key: f"{', '.join(col[:-1])} and {col[-1]}" for key, col in columns.items()}
            tail = rng.choice([" respectively", ", respectively"])
            return before_mark(fill(text, {**base, **lists}), tail)
        segment, start, end = varied_segment(text, varied)
        parts = [fill(segment, {**base, **row}) for row in spelled]
        return self._ellipsis(full, parts, text[:start], text[end:], base)

    def _ellipsis(
        self,
        full: Sequence[str],
        parts: Sequence[str],
        before: str,
        after: str,
        base: Mapping[str, str],
    ) -> str:
        """Ask once in full, then only for what changes, where that stands at the end."""
        rng, first, style = self.rng, full[0], self.rng.random()
        asking = first.endswith("?")
        if after.strip(" ?.!") or ". " in before:
            return self.phrasing.join(full)
        plain = not re.search(",| and ", parts[0])
        if style < 0.42 and plain:
            joints = [" and ", ", and ", " and also ", ", and also ", ", then ", " and then "]
            joint = rng.choice([*joints, ", as well as "])
            middle = "".join(f", {part}" for part in parts[1:-1])
            return f"{first.rstrip('?.')}{middle}{joint}{parts[-1]}{'?' if asking else ''}"
        if style < 0.65:
            leads = [" And ", " Also ", " Then ", " What about ", " And also ", " Same "]
            text = first if asking else f"{first}."
            for part in parts[1:]:
                text += f"{rng.choice(leads)}{part}{'?' if asking else '.'}"
            return text
        if style < 0.85:
            return self.phrasing.join(full)
        head = fill(before.rstrip(" ?.,"), base)
        joint = rng.choice(["; ", ", ", " / ", " and "] if plain else ["; ", " / "])
        return f"{head}{rng.choice([' ', ': '])}{joint.join(parts)}"

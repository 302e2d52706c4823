"""Questions made of a function's own words: its description and its parameters' names.

Written templates (``concepts.txt``) show how people ask; these show how the same values are bound
to names: before and after them, as a list "respectively", as a story, in cases and pairs.
"""

import re
from collections.abc import Mapping, Sequence
from random import Random

from langchain_gorilla.training.concepts import article
from langchain_gorilla.training.documents import OfferedFunction, Slot
from langchain_gorilla.training.phrasing import number_words, upper_first

_VERBS = re.compile(
    r"(Compute|Calculate|Get|Find|Determine|Convert|Estimate|Look|Search|Create|Book|Send|Show|List|"
    r"Check|Tell|Retrieve|Fetch|Give|Work|Draw|Make|Add|Update|Delete|Cancel|Set|Turn|Play|"
    r"Translate|Generate|Predict|Analyze|Identify|Evaluate|Measure|Simulate|Plot|Solve|Sort|Count|"
    r"Compare|Order|Reserve|Schedule|Report|Pick|Move|Open|Close|Start|Stop|Register|Rank|Name|"
    r"Describe|Summarize|Recommend|Suggest|Plan|Track|Read|Write|Print|Record|Assign|Rent|Buy)\b"
)
_LONG = ("TEXT", "PHRASE", "SENTENCE", "TITLE", "TOPIC")
_PARTED = ("array", "object")
"""Values whose own commas and joints would be lost in a list."""

_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def lead(rng: Random, function: OfferedFunction) -> str | None:
    """Give a description of the function as a request, without a mark; None if none is one."""
    fitting = [one for one in function.concept.descriptions if _VERBS.match(one)]
    return rng.choice(fitting).rstrip(".") if fitting else None


def words_of(slot: Slot) -> str:
    """Give a parameter's name as words; its plainest one where the function's is a letter."""
    name = slot.name if len(slot.name) > 2 else slot.parameter.names[0]
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).strip().lower()


def _together(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if parts[1:] else parts[0]


def one_call(rng: Random, request: str, slots: Sequence[Slot]) -> str:
    """Write a template that asks for one call.

    Args:
        rng: Chooses the form and the order.
        request: What ``lead`` gave.
        slots: The parameters that are given, at least one.
    """
    order = list(slots)
    if rng.random() < 0.4:
        rng.shuffle(order)
    in_order = order == list(slots) and not any(slot.parameter.optional for slot in slots)
    names = [words_of(slot) for slot in order]
    values = [f"{{{slot.parameter.key}}}" for slot in order]
    pairs = list(zip(names, values, strict=True))
    if len(order) == 1:
        name, value = pairs[0]
        forms = [f"{request} for {value}", f"{request} with {name} {value}", f"{request}: {value}"]
        forms += [f"{request} where the {name} is {value}", f"The {name} is {value}. {request}."]
        return rng.choice([*forms, f"{request} with {article(name)} of {value}"])
    listed = f"{_together(names)} {rng.choice(['of', 'as', 'being'])} {_together(values)}"
    forms = [
        f"{request} with {', '.join(f'{name}={value}' for name, value in pairs)}",
        f"{request} given {_together([f'{name} = {value}' for name, value in pairs])}",
        f"{request} with {_together([f'{article(name)} of {value}' for name, value in pairs])}",
        f"{request}, where {_together([f'the {name} is {value}' for name, value in pairs])}.",
        f"{request} if {_together([f'the {name} is {value}' for name, value in pairs])}.",
        f"The {'. The '.join(f'{name} is {value}' for name, value in pairs)}. {request}.",
        f"{upper_first(_together([f'{name} {value}' for name, value in pairs]))}. {request}.",
        f"I have {_together([f'{article(name)} of {value}' for name, value in pairs])}. "
        f"{request}, please.",
        f"{request} for {_together([f'{name} {value}' for name, value in pairs])}",
        f"{request} given that {_together([f'{value} is the {name}' for name, value in pairs])}",
    ]
    if not any(slot.parameter.kind in _LONG or slot.json_type in _PARTED for slot in order):
        forms += [
            f"{request} for the {listed}, respectively.",
            f"{request} with {listed}",
            f"{request} with the {listed}",
        ]
    # Numbers without names are those that are required, in the order of the document.
    if in_order and all(slot.json_type in ("integer", "number") for slot in order):
        count = number_words(len(order))
        forms += [
            f"{request} of {count} numbers: {_together(values)}",
            f"{request} for the {count} numbers {_together(values)}.",
            f"{request} of {count} given values, say {_together(values)}",
        ]
    return rng.choice(forms)


def several_calls(
    rng: Random,
    request: str,
    slots: Sequence[Slot],
    fixed: Mapping[str, str],
    rows: Sequence[Mapping[str, str]],
) -> str:
    """Ask for the same function several times, in one text.

    Args:
        rng: Chooses the form.
        request: What ``lead`` gave.
        slots: The parameters that change, in the order in which they are told.
        fixed: What does not change: words for the parameter to the value as text.
        rows: For each call the value of each changing parameter as text, by key.
    """
    common = [f"{article(name)} of {value}" for name, value in fixed.items()]
    told = f" with {_together(common)}" if common else ""
    names = [words_of(slot) for slot in slots]
    cases = [[row[slot.parameter.key] for slot in slots] for row in rows]

    def having(case: Sequence[str], joint: str) -> str:
        return _together(
            [joint.format(n=n, an=article(n), v=v) for n, v in zip(names, case, strict=True)]
        )

    count = number_words(len(rows))
    style = rng.choice(["cases", "things", "and for", "pairs", "another", "numbered"])
    if style == "cases":
        parts = [
            f"in the {_ORDINALS[place]}{' case' if not place else ''}, "
            f"{having(case, 'the {n} is {v}')}"
            for place, case in enumerate(cases)
        ]
        joint = rng.choice(["; ", ", and ", ". "])
        text = joint.join(upper_first(part) if joint == ". " else part for part in parts)
        return f"{request}{told} for {count} cases. {text[0].upper()}{text[1:]}."
    if style == "things":
        parts = [
            f"The {_ORDINALS[place]}{rng.choice(['', ' one'])} has {having(case, '{an} of {v}')}."
            for place, case in enumerate(cases)
        ]
        end = rng.choice(
            [
                f"{request}{told} for each of them.",
                f"{request}{told} for {'both' if len(rows) == 2 else f'all {count}'}.",
            ]
        )
        return f"{' '.join(parts)} {end}" if rng.random() < 0.5 else f"{end} {' '.join(parts)}"
    if style == "pairs" and len(slots) > 1:
        group = {2: "pairs"}.get(len(slots), "sets")
        written = [f"({', '.join(case)})" for case in cases]
        return f"{request}{told} for the {group} of {_together(names)} {_together(written)}"
    if style == "another":
        first, *others = [having(case, rng.choice(["{n} {v}", "{an} of {v}"])) for case in cases]
        text = "".join(f", another one with {one}" for one in others)
        return f"{request}{told}: one with {first}{text}"
    if style == "numbered":
        parts = [f"{place}) {having(case, '{n} {v}')}" for place, case in enumerate(cases, 1)]
        return f"{request}{told}: {', '.join(parts)}"
    parts = [f"for {having(case, '{n} {v}')}" for case in cases]
    return f"{request}{told} {rng.choice([' and ', ', and also ', ', then ']).join(parts)}"


def once_more(rng: Random, slots: Sequence[Slot], row: Mapping[str, str], *, bare: bool) -> str:
    """Ask for the same again with other values, after a question was asked in full.

    Args:
        rng: Chooses the form.
        slots: The parameters that change.
        row: Their values as text, by key.
        bare: A value says by itself which parameter it is for.
    """
    told = [(words_of(slot), row[slot.parameter.key]) for slot in slots]
    forms = ["{an} of {v}", "{n} {v}", "{v} as the {n}"]
    form = rng.choice([*forms, "{v}"] if bare and len(told) == 1 else forms)
    text = _together([form.format(n=n, an=article(n), v=v) for n, v in told])
    starts = ["Then repeat it with", "Do the same for", "And once more with", "Also do it for"]
    starts += ["Now the same but with", "And what about", "How about"]
    start = rng.choice(starts)
    end = rng.choice(["", "", " instead"])
    return f" {start} {text}{end}{'?' if start in starts[-2:] else '.'}"


_AGAIN = (
    "And {}?",
    "And {}?",
    "and {}",
    "What about {}?",
    "How about {}?",
    "Now {}",
    "And now {}?",
)
_AGAIN_PLAIN = (*_AGAIN, "{}?", "Same for {}", "The same for {}, please", "And for {}?")


def follow_up(rng: Random, slot: Slot, values: Sequence[str], place: str, *, bare: bool) -> str:
    """Ask for what was just asked for again, by nothing but another value: "And in Oslo?".

    Args:
        rng: Chooses the form.
        slot: The parameter that changes.
        values: Its values as text, one for each call.
        place: The preposition that the value has in questions, "" for none.
        bare: A value says by itself which parameter it is for.
    """
    text, name = " and ".join(values), words_of(slot)
    if place and (not bare or rng.random() < 0.7):
        return rng.choice(_AGAIN).format(f"{place} {text}")
    if not bare:
        text = rng.choice([f"{name} {text}", f"{article(name)} of {text}", f"{text} as the {name}"])
    return rng.choice(_AGAIN_PLAIN).format(text)

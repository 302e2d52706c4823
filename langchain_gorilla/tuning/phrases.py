"""People's own words for a function: question templates, checked before anything is asked.

``"Is it raining in {city}[ right now @now=True]?"`` has a parameter's value in braces; what stands
in brackets may be left out, and may imply a value that its words do not write.
"""

import re
from collections.abc import Mapping, Sequence

from langchain_gorilla.errors import GorillaError
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.training.documents import Slot

VALUE = re.compile(r"\{([^{}]+)\}")
"""A parameter's value in a phrase."""

_FLAG = re.compile(r"@([^=\]]+)=(True|False)")
"""A value that the words before it imply."""

_PART = re.compile(r"\[([^\[\]]*)\]")
"""What may be left out of a phrase."""


class PhrasesError(GorillaError, ValueError):
    """Question templates that do not fit the functions that they are for."""


def checked_phrases(
    functions: FunctionSet, phrases: Mapping[str, Sequence[str]]
) -> dict[str, tuple[str, ...]]:
    """Give the templates with the names that a model writes.

    Args:
        functions: What the phrases ask for.
        phrases: Templates by the functions' true names, their parameters' in ``{...}``.

    Raises:
        PhrasesError: There is no such function or parameter, one that every call needs is not
            given, or a template's brackets or flags cannot be read.
    """
    if not isinstance(phrases, Mapping):
        raise PhrasesError(
            f"The phrases are a {type(phrases).__name__}, {phrases!r:.80}. Expected tool names "
            'with lists of templates: {"get_weather": ["Is it raining in {city}?"]}.'
        )
    found = {}
    for name, templates in phrases.items():
        function = functions.find(name)
        if function is None:
            raise PhrasesError(
                f"There are phrases for {name!r}, which is none of the {len(functions.names)} tools."
            )
        if not isinstance(templates, list | tuple) or not all(
            isinstance(one, str) for one in templates
        ):
            raise PhrasesError(
                f"The phrases for {name!r} are {templates!r:.120}. Expected a list of templates."
            )
        for template in templates:
            _check_phrase(template, function)
        names = {one: functions.written_parameter(function, one) for one in function.properties}
        found[functions.written_name(function.name)] = tuple(
            _FLAG.sub(
                lambda match, names=names: f"@{names[match[1]]}={match[2]}",  # type: ignore[misc]
                VALUE.sub(lambda match, names=names: f"{{{names[match[1]]}}}", template),  # type: ignore[misc]
            )
            for template in templates
        )
    return found


def _check_phrase(template: str, function: FunctionSchema) -> None:
    always = _PART.sub("", template)
    if not always.strip():
        raise PhrasesError(
            f"The phrase {template!r} for {function.name!r} says nothing outside [...], which may be "
            "left out. Write a question."
        )
    if re.search(r"[][{}]", VALUE.sub("", _PART.sub(r"\1", template))):
        raise PhrasesError(
            f"The brackets in the phrase {template!r} for {function.name!r} do not pair, or stand in "
            "one another. Write {parameter}, and [...] around what may be left out."
        )
    implied = [part for part in _PART.findall(template) if re.search(r"(^| )@", part)]
    if re.search(r"(^| )@\w+=", always) or not all(
        re.fullmatch(rf"[^@]+ {_FLAG.pattern}", part) for part in implied
    ):
        raise PhrasesError(
            f"The phrase {template!r} for {function.name!r} implies a value in a form that is not "
            "known. Write it behind its words, [at once @urgent=True], with True or False."
        )
    told = {*VALUE.findall(template), *(name for name, _ in _FLAG.findall(template))}
    for parameter in told:
        if parameter not in function.properties:
            raise PhrasesError(
                f"The phrase {template!r} for {function.name!r} speaks of {parameter!r}; its "
                f"parameters are {', '.join(function.properties) or 'none'}."
            )
    lacking = [one for one in function.required if one not in told]
    if lacking:
        raise PhrasesError(
            f"The phrase {template!r} for {function.name!r} gives no {', '.join(lacking)}, which "
            f"every call needs. Write {{{lacking[0]}}} where its value stands."
        )


def check_values(template: str, slots: Sequence[Slot]) -> None:
    """Refuse a phrase that could never be asked.

    Args:
        template: With the names that a model writes.
        slots: The parameters that a question can speak of.

    Raises:
        PhrasesError: It speaks of another one, or implies a value that is no boolean.
    """
    types = {slot.name: slot.json_type for slot in slots}
    for parameter in VALUE.findall(template):
        if parameter not in types:
            raise PhrasesError(
                f"The phrase {template!r} speaks of {parameter!r}, for which no value can be made "
                "up. Leave it out, or write rows of your own."
            )
    for parameter, _ in _FLAG.findall(template):
        if types.get(parameter) != "boolean":
            raise PhrasesError(
                f"The phrase {template!r} implies {parameter!r}, which is no boolean. Write "
                f"{{{parameter}}} where its value stands."
            )

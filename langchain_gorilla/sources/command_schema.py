"""A command's help as a JSON schema, and a call's arguments as an argument list.

No value can become an option: a long option's value is joined to it (``--name=value``) where it
begins with a dash, and a value that stands alone never does, but for a negative number among
several values. No value passes a shell, so quotes, semicolons and the like are ordinary characters.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from langchain_core.tools import ToolException

from langchain_gorilla.calls import JSONValue
from langchain_gorilla.sources.base import Refusal
from langchain_gorilla.sources.help_options import OptionText
from langchain_gorilla.sources.help_text import HelpText, NamedText
from langchain_gorilla.sources.help_usage import Positional, Usage
from langchain_gorilla.sources.tool import closed_schema

_ASKS_ONLY: Final = frozenset([
    "-h", "-?", "-help", "--help", "--version", "--usage", "--help-all", "--install-completion",
    "--show-completion",
])  # fmt: skip
_RUNS_PROGRAM: Final = re.compile(
    r"^--?(exec|exec-.*|extcmd|shell|pager|editor|sequence-editor|upload-pack|receive-pack"
    r"|open-files-in-pager|rsh|config-env|script-shell|plugin-dir|browser|checkpoint-action"
    r"|eval|execute|script|info-script|new-volume-script|(.+-)?(command|program))$"
)
_PROGRAM_WORDS: Final = frozenset({"command", "commandline", "cmd", "program", "prog"})
"""What a help writes for a program to run: ``--filter=COMMAND``."""
_CONFIG: Final = re.compile(r"<?(key|name)>?=<?value>?", re.IGNORECASE)
"""What git writes for any setting there is, of which some name programs: ``--config KEY=VALUE``."""


@dataclass(frozen=True)
class CommandShape:
    """How the arguments of a tool become an argument list.

    Attributes:
        schema: What the tool takes.
        options: Parameter name to option.
        positionals: Parameter name to positional, in their order.
        refusals: Options that the tool does not offer.
        options_last: Positionals come first.
    """

    schema: Mapping[str, JSONValue]
    options: Mapping[str, OptionText] = field(default_factory=dict)
    positionals: Mapping[str, Positional] = field(default_factory=dict)
    refusals: tuple[Refusal, ...] = ()
    options_last: bool = False


def shape_of(where: str, text: HelpText, usage: Usage) -> CommandShape:
    """Make the schema of one command.

    Options that name a program to run are left out: they would be a shell by another door.
    """
    properties: dict[str, JSONValue] = {}
    required: list[str] = []
    options: dict[str, OptionText] = {}
    positionals: dict[str, Positional] = {}
    refusals: list[Refusal] = []
    known: set[str] = set()
    for option in text.options:
        if option.sent_as in _ASKS_ONLY and option.style == "flag":
            continue
        if _runs_program(option):
            refusals.append(
                Refusal(f"{where} {option.sent_as}", "The option names a program to run.")
            )
            continue
        if known.issuperset(option.names):
            continue
        known.update(option.names)
        name = _identifier(option.sent_as)
        if name in options:
            refusals.append(
                Refusal(f"{where} {option.sent_as}", "The help describes it twice; the first.")
            )
            continue
        options[name] = option
        properties[name] = _option_schema(option)
        if option.required or usage.required_options.intersection(option.names):
            required.append(name)
    for positional in _described(usage, text):
        name = _identifier(positional.name)
        while name in properties:
            name = f"{name}_argument"
        positionals[name] = positional
        properties[name] = _positional_schema(positional)
        if positional.required:
            required.append(name)
    return CommandShape(
        closed_schema(properties, required),
        options,
        positionals,
        tuple(refusals),
        usage.options_last,
    )


def argument_list(shape: CommandShape, arguments: Mapping[str, JSONValue]) -> list[str]:
    """Return options and positionals as a program takes them.

    Args:
        shape: Of the command.
        arguments: That fit its schema.

    Raises:
        ToolException: A value cannot be given without being read as something else.
    """
    found: list[str] = []
    # A program with options such as -name reads no -nVALUE, and few read -name=VALUE.
    apart = any(re.match(r"-[^-].", option.sent_as) for option in shape.options.values())
    # Of several values behind one name, -5 is a number where no option has such a name.
    names = [each for option in shape.options.values() for each in option.names]
    signed = not any(re.match(r"-\d", each) for each in names)
    for name, option in shape.options.items():
        value = arguments.get(name)
        if value is not None and option.style == "spaced":
            values = value if isinstance(value, list) else [value]
            words = [_alone(name, each, signed=signed) for each in values]
            found += [option.sent_as, *words] if words else []
        elif value is not None:
            found += _option_words(name, option, value, apart and not option.joined)
    standing: list[str] = []
    behind: list[str] = []
    for name, positional in shape.positionals.items():
        value = arguments.get(name)
        if value is None:
            continue
        values = value if positional.repeated and isinstance(value, list) else [value]
        place = behind if positional.after_dashes else standing
        place += [_alone(name, each) for each in values]
    if shape.options_last:
        found, standing = [*standing, *found], []
    if (standing or behind) and any(
        _may_take_more(option, arguments.get(name)) for name, option in shape.options.items()
    ):
        return [*found, "--", *standing, *behind]
    return [*found, *standing, *(["--"] if behind else []), *behind]


def _may_take_more(option: OptionText, value: Any) -> bool:
    """Whether an option takes a word behind it: ``--tags TAG...``, ``--log [FILE]`` without one."""
    if option.style == "spaced":
        return bool(value) and not option.count
    return option.style == "optional value" and value is True and not option.joined


def _runs_program(option: OptionText) -> bool:
    return option.style != "flag" and (
        option.placeholder.lower() in _PROGRAM_WORDS
        or any(map(_RUNS_PROGRAM.match, option.names))
        or ("--config" in option.names and _CONFIG.fullmatch(option.placeholder) is not None)
    )


def _option_words(name: str, option: OptionText, value: Any, apart: bool) -> list[str]:
    sent = option.sent_as
    if option.style == "flag" or value is True or value is False:
        if value:
            return [sent]
        return [option.negative] if option.negative else []
    values = value if option.style == "repeated" and isinstance(value, list) else [value]
    # curl reads no --name=value. Nobody else minds two words where the help writes two.
    apart = (option.apart if sent.startswith("--") else apart) and option.style != "optional value"
    return [word for each in values for word in _value_words(name, sent, each, apart)]


def _value_words(name: str, sent: str, value: Any, apart: bool) -> list[str]:
    """Return ``--name=value``, ``-nvalue`` for an option of one letter, or two words."""
    text = _text(name, value)
    is_amount = re.match(r"-[^-].", sent) is not None and re.match(r"-\d", text) is not None
    if apart and (is_amount or text == "-" or not text.startswith("-")):
        return [sent, text]
    if sent.endswith(","):
        return [f"{sent}{text}"]
    if len(sent) > 2:
        return [f"{sent}={text}"]
    if not text:
        raise ToolException(f"{name} cannot be empty. Give it a value, or leave it out.")
    return [f"{sent}{text}"]


def _alone(name: str, value: Any, *, signed: bool = False) -> str:
    text = _text(name, value)
    is_number = re.fullmatch(r"-\d*\.?\d+", text) is not None
    if is_number and not signed:
        raise ToolException(
            f"{name} begins with a dash ({text[:40]!r}), which the command would read as an "
            "option: no negative number can stand here. Use an option that takes it, or another "
            "tool, or tell the user."
        )
    if text.startswith("-") and text != "-" and not is_number:
        raise ToolException(
            f"{name} begins with a dash ({text[:40]!r}), which the command would read as an "
            "option. Write a path as ./-name, or use the option's own parameter."
        )
    return text


def _text(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    if "\0" in text:
        raise ToolException(f"{name} holds a NUL character, which no argument can. Leave it out.")
    return text


def _option_schema(option: OptionText) -> dict[str, JSONValue]:
    one: dict[str, JSONValue] = dict(option.schema or {"type": "string"})
    schema: dict[str, JSONValue]
    if option.style == "flag":
        schema = {"type": "boolean"}
    elif option.style == "optional value":
        schema = {"anyOf": [{"type": "boolean"}, one]}
    elif option.style in ("repeated", "spaced"):
        schema = {"type": "array", "items": one}
        if option.count:
            schema |= {"minItems": option.count, "maxItems": option.count}
    else:
        schema = one
    if option.description:
        schema["description"] = option.description
    return schema


def _positional_schema(positional: Positional) -> dict[str, JSONValue]:
    one: dict[str, JSONValue] = {"type": "string"}
    if positional.choices:
        one["enum"] = list(positional.choices)
    schema: dict[str, JSONValue] = {"type": "array", "items": one} if positional.repeated else one
    if positional.repeated and positional.required:
        schema["minItems"] = 1
    is_plain = re.fullmatch(r"[\w -]+", positional.name) is not None
    if said := positional.description or ("" if is_plain else f"Written as {positional.name}."):
        schema["description"] = said
    return schema


def _described(usage: Usage, text: HelpText) -> Sequence[Positional]:
    """Join what usage and the section of arguments say of positionals."""
    if not text.usages:
        return [Positional(each.name, description=each.description) for each in text.arguments]
    told = {_identifier(each.name): each for each in text.arguments}
    described = []
    for each in usage.positionals:
        said = told.get(_identifier(" ".join(each.choices) or each.name), NamedText(""))
        repeated = each.repeated or said.name.endswith("...")
        description = " ".join(filter(None, (each.description, said.description)))
        described.append(replace(each, description=description, repeated=repeated))
    return described


def _identifier(name: str) -> str:
    text = re.sub(r"\W+", "_", name).strip("_").lower()
    # Git tells -M from -m, and so must their parameters.
    if re.fullmatch(r"-[A-Z]", name):
        text = name[1]
    return text if not text[:1].isdigit() else f"_{text}"

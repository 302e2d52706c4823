"""One option of a help text: ``-f, --file FILE``, ``--[no-]color``, ``--all=false:``."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

from langchain_gorilla.calls import JSONValue

_FLAG: Final = re.compile(
    r"--?(?:\[no-\])?[A-Za-z0-9?@#][\w@-]*(?:\.[\w-]+)*(?:(?<=-W[a-z]),(?=<))?"
)
"""The comma is part of gcc's ``-Wl,<options>``."""
_OR_OPTION: Final = re.compile(r"(<[^<>]+>\.\.\.)\s\|\s-.*")
"""dpkg's ``<package>... | -a|--pending``, where a value stands in the place of what it does."""
_PIPED_LIST: Final = re.compile(r"-\w\|--[\w-]+ <[^<>]+>\.\.\.")
_AFTER_PART: Final = re.compile(r"\w[^\s,]*")
"""What goes on behind gh's ``[HOST/]OWNER/REPO``, whose brackets are around a part of a value."""
_DIGITS: Final = re.compile(r"-(?:NUM|NUMBER)\b")
"""What grep writes for ``-5``: no option of that name, and another one does the same."""
_NAMES: Final = re.compile(r"-\S+(?:\s+\S+){0,2}")
"""A column of names; more words are a description that begins with one."""
_PROSE: Final = re.compile(r"[a-z][a-z'-]*[.,;]?")
_PLAIN_WORD: Final = re.compile(r"[a-z]+|<[\w-]+>")
_REQUIRED: Final = re.compile(r"\[required\]|\(required\)|; required(?=\])", re.IGNORECASE)
_AT_LEAST: Final = re.compile(r"\[(?:x>=|)(-?\d+)(?:<=x.*)?\]$")
_REPEATED: Final = re.compile(
    r"(?:used|given|specified|provided|passed|repeated?) (?:multiple|several|many|more than)"
    r"|multiple times|more than once|can be repeated|may be repeated|\(default \[[^\]]*\]\)$",
    re.IGNORECASE,
)
_POSSIBLE: Final = re.compile(
    r"[\[(](?:possible values:|choose from:?|choices:) ([^\])]+)[\])]|<options: ([^>]+)>"
)
_YARGS: Final = re.compile(r"\[(number|string|array)\]")
"""A type behind the description, of an option that has no placeholder."""
_ALLOWED: Final = re.compile(r"Allowed values: ([\w, -]+)\.")
_TYPED: Final = re.compile(r"^\((\w+)\)$")
_CLICK_TYPES: Final = frozenset({"TEXT", "INTEGER", "FLOAT", "UUID", "FILENAME", "DIRECTORY"})
"""With dots, ``FLOAT...`` are several words behind one name there; how many, nobody says."""
_INTEGERS: Final = re.compile(
    r"^(u?int(eger)?\d*|num(ber)?|n|count|port|pid|lines|depth|seconds|indent)(\s+range)?$"
)
_FLOATS: Final = re.compile(r"^(float\d*|double|decimal|ratio)(\s+range)?$")
_LISTS: Final = re.compile(r"^(list|strings|string(array|slice)|array|map|stringtostring|ints)\b")
_BOOLEANS: Final = frozenset({"bool", "boolean"})
_GO_DEFAULT: Final = re.compile(r"\(default true\)$")
"""What Go's programs write of a flag that is on, and only ``--flag=false`` turns off."""

Style = Literal["flag", "value", "optional value", "repeated", "spaced"]


@dataclass(frozen=True)
class OptionText:
    """An option as its help describes it.

    Attributes:
        names: With their dashes, as written; the first long one is what is sent.
        negative: What is sent for False; ``""`` where leaving it out means that.
        style: How values are given: none (``flag``), ``--x=v`` (``value``), either (``optional
            value``), several times (``repeated``), after one another (``spaced``).
        schema: JSON schema of one value.
        placeholder: What the help writes for a value, without brackets; ``""`` for nothing.
        count: How many values ``spaced`` takes; 0 for any number.
        required: Every call must have it.
        description: For the model.
        joined: The help writes name and value as one word: ``-std=WORD``, ``-DNAME``.
        apart: It writes them as two words, the second clearly no prose: ``--data <data>``.
    """

    names: tuple[str, ...]
    negative: str = ""
    style: Style = "flag"
    schema: dict[str, JSONValue] | None = None
    placeholder: str = ""
    count: int = 0
    required: bool = False
    description: str = ""
    joined: bool = False
    apart: bool = False

    @property
    def sent_as(self) -> str:
        """The name that is sent: the first long one, else the first."""
        return next((name for name in self.names if name.startswith("--")), self.names[0])

    def continued(self, text: str) -> "OptionText":
        """Return the option with another line of description."""
        return _described(self, f"{self.description} {text}".strip())


def read_option(text: str) -> OptionText | None:
    """Read the line of an option; None where it is none after all.

    Args:
        text: Without indentation; the description may follow after two spaces or a colon.
    """
    text = re.sub(r"^\*\s+", "", text)
    if _DIGITS.match(text):
        return None
    if kubectl := re.match(r"^(-[\w-]+(?:, --[\w-]+)?|--[\w-]+)=(.*):$", text):
        return _with_default(kubectl[1], kubectl[2])
    head, colon, told = text.partition(" : ")
    if colon:
        # python writes "-b : Warn.", which takes no value: with one, -bVALUE were several options.
        return _az_option(head, told) if "--" in head else _read(head.strip(), told.strip())
    cells = re.split(r"\s{2,}", text)
    specs = 1
    if len(cells) == 2 and (value := _OR_OPTION.fullmatch(cells[1])):
        option = _read(f"{cells[0]} {value[1]}", cells[1])
        return option and replace(option, style="spaced")
    # Typer sets long names, short names and types in columns of their own.
    while specs < len(cells) and (_NAMES.fullmatch(cells[specs]) or _is_placeholder(cells[specs])):
        specs += 1
    return _read(" ".join(cells[:specs]), "  ".join(cells[specs:]))


def _az_option(head: str, told: str) -> OptionText | None:
    """Read ``--name -n [Required] : Text.``, which does not say whether it takes a value."""
    option = _read(head, "")
    if option is None:
        return None
    text: dict[str, JSONValue] = {"type": "string"}
    style: Style = "value" if option.required else "optional value"
    return _az_described(replace(option, style=style, schema=text), told)


def _az_described(option: OptionText, told: str) -> OptionText:
    if allowed := _ALLOWED.search(told):
        words = [word.strip() for word in allowed[1].split(",")]
        option = replace(option, style="value", schema={"type": "string", "enum": words})
    elif told.lower().startswith("space-separated"):
        option = replace(option, style="spaced")
    return replace(option, description=told)


def _read(head: str, told: str) -> OptionText | None:
    required = _REQUIRED.search(head) is not None
    head = _REQUIRED.sub("", head).strip()
    positive: list[str] = []
    negative, values, slash, joined = "", [], False, False
    place = 0
    while place < len(head):
        match = _FLAG.match(head, place)
        if match and (place == 0 or head[place - 1] in " ,/|"):
            name = match[0]
            if "[no-]" in name:
                positive.append(name.replace("[no-]", ""))
                negative = name.replace("[no-]", "no-")
            elif name.startswith("--") and (
                slash or (name.startswith("--no-") and f"--{name[5:]}" in positive)
            ):
                # -n, --no-verify are two names of one flag.
                negative = name
            else:
                positive.append(name)
            place = match.end()
            # click may set a short name before what turns it off: --on / -O, --off.
            slash = slash or head[place : place + 3] == " / "
            continue
        if head[place] in " ,/|":
            place += 1
            continue
        if head[place] == "=":
            # --flatten=[KEY,...] needs its value: the brackets are gcloud's, as part of it.
            values.append(re.match(r"\S*", head[place:])[0].rstrip(",;"))  # type: ignore[index]
            place += len(values[-1])
            joined = True
            continue
        end = _value_end(head, place)
        values.append(head[place:end])
        joined = joined or head[place - 1] not in " ,"
        place = max(end, place + 1)
    if not positive:
        return None
    longs = [name for name in positive if name.startswith("--")]
    if not told and sum(_PROSE.fullmatch(value) is not None for value in values) > 2:
        # A long name leaves one space before what it does, and so does a long <placeholder>.
        kept = 1 if values[0].startswith(("<", "=", "[=")) else 0
        told, values = " ".join(values[kept:]), values[:kept]
    found = OptionText(tuple(positive), negative, required=required, joined=joined)
    option = _typed(found, values, is_column=bool(told))
    if told and len(positive) == 1 and len(values) == 2 and all(map(_PLAIN_WORD.fullmatch, values)):
        # jq writes --arg a v.
        option = replace(option, style="spaced", schema={"type": "string"}, count=2)
    if option.style == "repeated" and _PIPED_LIST.fullmatch(head):
        # dpkg reads --listfiles a b, and no value of the option's own.
        option = replace(option, style="spaced")
    if option.style == "flag" and not negative and len(longs) == 2 and "bool" in head:
        # Typer's columns: --on  --off  <bool>.
        names = tuple(name for name in positive if name != longs[1])
        option = replace(option, names=names, negative=longs[1])
    # binutils set a dash before what an option does.
    return _described(option, re.sub(r"^- (?=\w)", "", told))


def _value_end(head: str, start: int) -> int:
    closing = {"<": ">", "[": "]", "{": "}", "(": ")"}.get(head[start])
    if closing is None:
        match = re.compile(r"[^\s,\[]+").match(head, start)
        return match.end() if match else start + 1
    depth = 0
    for place in range(start, len(head)):
        if head[place] == head[start]:
            depth += 1
        elif head[place] == closing:
            depth -= 1
            if depth == 0:
                part = _AFTER_PART.match(head, place + 1) if closing == "]" else None
                return part.end() if part else place + 1
    return len(head)


def _typed(option: OptionText, values: list[str], *, is_column: bool) -> OptionText:
    """Read what stands for an option's values; ``is_column`` where the description is apart."""
    dots = [value for value in values if value.endswith(("...", "…"))]
    placeholders = [value.removesuffix("...") for value in values if value not in ("...", "…")]
    placeholders = [value for value in placeholders if value.strip("[]=.- ")]
    if "=..." in values:
        return replace(option, style="value", schema={"type": "string"})
    if not placeholders:
        return option
    first = placeholders[0]
    inner = first.strip("<>[]{}()=").strip()
    is_apart = not option.joined and (is_column or first.startswith("<") or first.isupper())
    option = replace(option, placeholder=inner, apart=is_apart)
    if placeholders[1:2] == ["RANGE"]:
        del placeholders[1]
    if first.startswith("[="):
        return replace(option, style="optional value", schema=_value_schema(first[2:-1]))
    if first.startswith("="):
        return replace(option, style="value", schema=_value_schema(first[1:]))
    if inner.lower() in _BOOLEANS:
        return option
    schema = _value_schema(first)
    for value in placeholders[1:]:
        if (bound := _AT_LEAST.match(value)) and schema["type"] in ("integer", "number"):
            schema["minimum"] = int(bound[1])
    # click writes <TEXT INTEGER>..., Typer <str,int>...
    is_typer = bool(dots) and "," in inner
    words = inner.split("," if is_typer else None)
    if first.startswith("<") and len(words) > 1 and (is_typer or inner.isupper()):
        return replace(option, style="spaced", schema={"type": "string"}, count=len(words))
    if any("..." in value for value in placeholders[1:]):
        return replace(option, style="spaced", schema=schema)
    if any(value.startswith("[") and value[1:-1] == inner for value in placeholders[1:]):
        return replace(option, style="spaced", schema=schema)
    if first.isupper() and {value.strip("=") for value in placeholders} == {first}:
        # -o FILE, --output=FILE has one value, --size SIZE SIZE two.
        each = len(placeholders) // len(option.names)
        if each > 1:
            return replace(option, style="spaced", schema=schema, count=each)
        placeholders = [first]
    plain = [value for value in placeholders if value.isupper() and not value.startswith("[")]
    if len(plain) > 1 and len(set(plain)) == len(plain) and not option.names[0].isupper():
        # -f FILE, --file FILE repeats one placeholder; --point X Y has two.
        return replace(option, style="spaced", schema=schema, count=len(plain))
    if inner.endswith("..."):
        # How argparse writes nargs="*": [FILE ...]; commander's <file...> is of the kind.
        return replace(option, style="spaced", schema=_value_schema(inner.removesuffix("...")))
    if (
        first.startswith("[")
        and first.endswith("]")
        and not _is_choice(inner, blanks=True)
        and "%" not in inner
    ):
        return replace(option, style="optional value", schema=schema)
    # A type, as Go and aws write it; --list LIST and util-linux's <list> are one value.
    is_type = first[0] != "<" and not first.isupper()
    if dots or (is_type and _LISTS.match(inner.lower())):
        is_spaced = inner.lower() == "list" and any(_TYPED.match(value) for value in values)
        is_spaced = is_spaced or first in _CLICK_TYPES
        return replace(option, style="spaced" if is_spaced else "repeated", schema=schema)
    return replace(option, style="value", schema=schema)


def _value_schema(placeholder: str) -> dict[str, JSONValue]:
    inner = placeholder.strip("<>[]{}()=:").strip()
    # gcc writes {joined|[^]{separate|…}}: a notation, and no list of words.
    is_set = placeholder.startswith("{") and not re.search(r"[{}\[\]]", inner)
    if _is_choice(inner, blanks=placeholder.startswith("[")) or is_set:
        words = re.split(r"\|" if placeholder.startswith("[") else r"[|,]", inner)
        return {"type": "string", "enum": list(dict.fromkeys(words))}
    lower = inner.lower()
    if _INTEGERS.match(lower):
        return {"type": "integer"}
    if _FLOATS.match(lower):
        return {"type": "number"}
    return {"type": "string"}


def _is_choice(inner: str, *, blanks: bool = False) -> bool:
    """Say whether words are to choose from; click's own may have blanks in them."""
    parts = inner.split("|")
    if blanks:
        parts = [re.sub(r"(?<=[^\s|]) (?=[^\s|])|[,/@&']", "", part) for part in parts]
    # readelf's <number|name> are two things that a value may be, not two words.
    is_written = "number" not in parts
    return len(parts) > 1 and is_written and all(re.fullmatch(r"[\w.:+-]+", p) for p in parts)


def _is_placeholder(cell: str) -> bool:
    return (
        re.fullmatch(
            r"(?:<[^<>]+>(?:\.\.\.)?|\[[\w.|-]+\]|[A-Z][A-Z_]+(?: RANGE)?)(?: \[[^\]]*x[^\]]*\])?",
            cell,
        )
        is not None
    )


def _with_default(names: str, default: str) -> OptionText:
    """Read kubectl's ``--all=false:``, where the default tells the type."""
    option = OptionText(tuple(each.strip() for each in names.split(",")))
    if default in ("true", "false"):
        return replace(option, negative=f"{option.sent_as}=false" if default == "true" else "")
    if re.fullmatch(r"-?\d+", default):
        return replace(option, style="value", schema={"type": "integer"})
    style: Style = "repeated" if default == "[]" else "value"
    return replace(option, style=style, schema={"type": "string"})


def _described(option: OptionText, told: str) -> OptionText:
    """Take what a description says of the values into the schema."""
    if match := _REQUIRED.search(told):
        option = replace(option, required=True)
        told = told.replace(match[0], "").strip()
    if option.style == "flag" and (yargs := _YARGS.search(told)):
        style: Style = "repeated" if yargs[1] == "array" else "value"
        kind = "number" if yargs[1] == "number" else "string"
        option = replace(option, style=style, schema={"type": kind})
    if (possible := _POSSIBLE.search(told)) and option.schema is not None:
        words = re.split(r",\s*|\|", possible[1] or possible[2])
        option = replace(
            option, schema={"type": "string", "enum": [word.strip(" '\"") for word in words]}
        )
    if option.style == "flag" and not option.negative and _GO_DEFAULT.search(told):
        option = replace(option, negative=f"{option.sent_as}=false")
    if option.style == "value" and _REPEATED.search(told):
        option = replace(option, style="repeated")
    return replace(option, description=told)

"""What reads an answer as structured output: it never closes what was cut off."""

import asyncio
import json
import time
from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException
from pydantic import BaseModel, RootModel, field_validator
from typing_extensions import NotRequired, TypedDict

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.errors import InvalidFunctionError

METHODS = ["function_calling", "json_schema", "json_mode"]
JSON_METHODS = ["json_schema", "json_mode"]


class Bill(BaseModel):
    """A bill."""

    amount: int
    note: str = ""


class BillDict(TypedDict):
    """A bill."""

    amount: int


BILL = Bill.model_json_schema()
# The third word is cut off; what is left closes to {"amount": 9, "note": "too"}.
LONG = '{"amount": 9,"note": "too long"}'


def structured(answer: str, schema: Any = Bill, **options: Any) -> Any:
    chosen = {name: options.pop(name) for name in ("method", "include_raw") if name in options}
    model = ChatGorilla(model="bundled", engine=ScriptedEngine([answer]), **options)
    return model.with_structured_output(schema, **chosen)


def object_of(**properties: Any) -> dict[str, Any]:
    required = list(properties)
    return {"title": "A", "type": "object", "properties": properties, "required": required}


# --- Answers that are cut off, or no JSON ---


@pytest.mark.parametrize("schema", [Bill, BILL, BillDict])
@pytest.mark.parametrize("method", JSON_METHODS)
def test_json_that_max_tokens_cuts_off_is_an_error(method: str, schema: Any) -> None:
    reader = structured(LONG, schema, method=method, max_tokens=3)
    with pytest.raises(OutputParserException, match=r"cut off.*Raise max_tokens") as caught:
        reader.invoke("q")
    assert caught.value.llm_output == '{"amount": 9,"note": "too'


@pytest.mark.parametrize("schema", [Bill, BILL])
@pytest.mark.parametrize("method", JSON_METHODS)
def test_raw_output_names_the_cut_off_and_parses_nothing(method: str, schema: Any) -> None:
    result = structured(LONG, schema, method=method, max_tokens=3, include_raw=True).invoke("q")
    assert result["raw"].response_metadata["finish_reason"] == "length"
    assert result["parsed"] is None
    assert "max_tokens" in str(result["parsing_error"])


@pytest.mark.parametrize("schema", [Bill, BILL])
@pytest.mark.parametrize(
    "answer",
    [
        '{"amount": 9',
        '{"amount": 9, "note": "a\nb"}',
        '{"amount": NaN}',
        '{"amount": Infinity}',
        '{"amount": 1e999}',
        '{"amount": 9} and more',
        "[" * 100_000,
        "",
    ],
)
def test_what_is_no_strict_json_is_an_error(answer: str, schema: Any) -> None:
    with pytest.raises(OutputParserException, match="no JSON"):
        structured(answer, schema, method="json_schema").invoke("q")


def test_json_in_a_markdown_fence_is_read() -> None:
    answer = '```json\n{"amount": 9}\n```'
    assert structured(answer, method="json_schema").invoke("q") == Bill(amount=9)


def test_many_spaces_behind_a_fence_take_linear_time() -> None:
    start = time.process_time()
    with pytest.raises(OutputParserException, match="no JSON"):
        structured("```" + " " * 4_000 + "9", method="json_schema").invoke("q")
    assert time.process_time() - start < 5


class Tip(BaseModel):
    """A tip."""

    amount: int

    @field_validator("amount")
    @classmethod
    def _at_least_one(cls, given: int) -> int:
        if given < 1:
            raise ValueError("stingy")
        return given


@pytest.mark.parametrize(
    ("method", "answer"),
    [("function_calling", "<<function>>Tip(amount=0)"), ("json_schema", '{"amount": 0}')],
)
def test_what_a_validator_refuses_is_an_error_of_parsing(method: str, answer: str) -> None:
    with pytest.raises(OutputParserException, match="stingy"):
        structured(answer, Tip, method=method).invoke("q")


# --- Streams ---


@pytest.mark.parametrize("method", JSON_METHODS)
def test_a_stream_shows_what_is_there_so_far_and_ends_with_the_whole(method: str) -> None:
    states = list(structured(LONG, BILL, method=method).stream("q"))
    assert {"amount": 9} in states
    assert states[-1] == {"amount": 9, "note": "too long"}
    objects = list(structured(LONG, method=method).stream("q"))
    assert objects[0] == Bill(amount=9)
    assert objects[-1] == Bill(amount=9, note="too long")


@pytest.mark.parametrize("schema", [Bill, BILL])
@pytest.mark.parametrize("method", METHODS)
def test_a_stream_that_is_cut_off_ends_in_an_error(method: str, schema: Any) -> None:
    answer = "<<function>>Bill(amount=9, note='too long')" if method == METHODS[0] else LONG
    with pytest.raises(OutputParserException, match="Raise max_tokens"):
        list(structured(answer, schema, method=method, max_tokens=2).stream("q"))


def test_an_asynchronous_stream_that_is_cut_off_ends_in_an_error() -> None:
    async def states() -> list[Any]:
        reader = structured(LONG, BILL, method="json_schema", max_tokens=2)
        return [each async for each in reader.astream("q")]

    with pytest.raises(OutputParserException, match="Raise max_tokens"):
        asyncio.run(states())


def said(result: dict[str, Any]) -> dict[str, Any]:
    """Return a raw answer in what its stream and the whole have to agree on: ids are random."""
    return {**result, "raw": result["raw"].text, "parsing_error": str(result["parsing_error"])}


@pytest.mark.parametrize("call", [{}, {"max_tokens": 2}], ids=["whole", "cut"])
@pytest.mark.parametrize("schema", [Bill, BILL])
async def test_a_raw_stream_shows_pieces_that_add_up_to_the_raw_answer(
    schema: Any, call: dict[str, Any]
) -> None:
    def reader() -> Any:
        return structured(LONG, schema, method="json_schema", include_raw=True)

    invoked = said(reader().invoke("q", **call))
    assert list(invoked) == ["raw", "parsed", "parsing_error"]
    assert said(await reader().ainvoke("q", **call)) == invoked
    streamed = list(reader().stream("q", **call))
    for pieces in (streamed, [piece async for piece in reader().astream("q", **call)]):
        assert [list(piece) for piece in pieces[:2]] == [["raw"], ["raw"]]
        first, *rest = pieces
        for piece in rest:
            first += piece
        assert said(first) == invoked


@pytest.mark.parametrize("method", METHODS)
def test_the_options_of_a_call_count_where_the_raw_answer_is_asked_for(method: str) -> None:
    engine = ScriptedEngine([LONG] * 3)
    model = ChatGorilla(model="bundled", engine=engine)
    reader = model.with_structured_output(Bill, method=method, include_raw=True)
    options: dict[str, Any] = {"max_tokens": 7, "temperature": 0.5, "timeout": 60, "stop": ["END"]}
    reader.invoke("q", **options)
    reader.bind(**options).invoke("q")
    list(reader.stream("q", **options))
    for request in engine.requests:
        given = request.options
        assert (given.max_tokens, given.temperature, given.timeout_s) == (7, 0.5, 60)
        assert "END" in given.stop


# --- What a grammar cannot say ---


@pytest.mark.parametrize("method", JSON_METHODS)
@pytest.mark.parametrize(
    ("schema", "answer", "match"),
    [
        (object_of(a={"type": "string", "not": {"const": "z"}}), '{"a": "z"}', "a: got 'z'"),
        (object_of(a={"type": "array", "uniqueItems": True}), '{"a": [1, 1]}', "no item twice"),
        (object_of(a={"type": "string"}), '{"zzz": 1}', "Missing argument a"),
        (object_of(a={"type": "string"}), "[1]", "an object"),
        (BillDict, '{"amount": "9"}', "without quotes"),
    ],
)
def test_an_answer_that_does_not_fit_its_schema_is_an_error(
    method: str, schema: Any, answer: str, match: str
) -> None:
    with pytest.raises(OutputParserException, match=match):
        structured(answer, schema, method=method).invoke("q")


def test_an_answer_without_a_constraint_is_checked_too() -> None:
    schema = object_of(a={"type": "string"})
    options = {"method": "json_schema", "include_raw": True, "constrained": False}
    result = structured('{"zzz": 1}', schema, **options).invoke("q")
    assert result["parsed"] is None
    assert "Missing argument a" in str(result["parsing_error"])


def test_a_stream_ends_in_an_error_where_the_whole_does_not_fit() -> None:
    schema = object_of(a={"type": "string", "not": {"const": "z"}})
    with pytest.raises(OutputParserException, match="got 'z'"):
        list(structured('{"a": "z"}', schema, method="json_schema").stream("q"))


@pytest.mark.parametrize(
    ("answer", "fits"), [('["a", "b"]', True), ('["a", "a"]', False), ('[{"b": 1}]', False)]
)
def test_a_schema_of_another_type_than_object_is_checked_too(answer: str, fits: bool) -> None:
    items = {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/Word"}}
    schema = {"name": "words", "parameters": {**items, "$defs": {"Word": {"type": "string"}}}}
    reader = structured(answer, schema, method="json_schema", include_raw=True)
    assert (reader.invoke("q")["parsing_error"] is None) is fits


ROOTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "array": ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", '["a"]'),
    "enum": ({"enum": ["good", "bad"]}, '"good"', '"fair"'),
    "anyOf": ({"anyOf": [{"type": "string"}, {"type": "null"}]}, '"a"', "1"),
    "map": (
        {"type": "object", "additionalProperties": {"type": "integer"}},
        '{"a": 1}',
        '{"a": ""}',
    ),
    "reference": ({"$ref": "#/$defs/W", "$defs": {"W": {"type": "string"}}}, '"a"', "1"),
    "anchor": (
        {"anyOf": [{"$anchor": "w", "type": "string"}, {"items": {"$ref": "#w"}}]},
        '["a"]',
        "[1]",
    ),
    "reference to the root": (
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#"}}]},
        '["a", ["b"]]',
        '["a", [1]]',
    ),
}


@pytest.mark.parametrize("method", JSON_METHODS)
@pytest.mark.parametrize("root", ROOTS)
def test_a_titled_schema_without_properties_is_kept_whole(root: str, method: str) -> None:
    body, right, wrong = ROOTS[root]
    schema = {"title": "A", **body}
    assert structured(right, schema, method=method).invoke("q") == json.loads(right)
    with pytest.raises(OutputParserException, match="does not fit the schema A"):
        structured(wrong, schema, method=method).invoke("q")


class Branch(BaseModel):
    """A branch."""

    name: str
    branches: list["Branch"] = []


def test_the_grammar_holds_a_class_that_refers_to_itself() -> None:
    model = ChatGorilla(model="bundled", engine=ScriptedEngine([""]))
    bound = model.with_structured_output(Branch, method="json_schema").first  # type: ignore[attr-defined]
    schema = bound.kwargs["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["branches"]["items"] == {"$ref": "#/$defs/Branch"}


def test_a_root_model_is_read_from_its_own_json() -> None:
    reader = structured("[1, 2]", RootModel[list[int]], method="json_schema")
    assert reader.invoke("q").root == [1, 2]


class Stay(BaseModel):
    """A stay."""

    city: str
    days: int = None  # type: ignore[assignment]


def test_a_null_that_stands_for_a_default_is_left_to_the_class() -> None:
    answer = '{"city": "Bern", "days": null}'
    assert structured(answer, Stay, method="json_schema").invoke("q") == Stay(city="Bern")


@pytest.mark.parametrize("answer", ['{"amount": "9"}', '{"amount": 9}'])
def test_what_a_class_converts_is_converted(answer: str) -> None:
    assert structured(answer, method="json_schema").invoke("q") == Bill(amount=9)


def test_no_schema_is_any_json_object_in_json_mode_and_an_error_otherwise() -> None:
    assert structured('{"a": 1}', None, method="json_mode").invoke("q") == {"a": 1}
    with pytest.raises(InvalidFunctionError, match=r"got no schema.*json_mode"):
        structured("", None, method="json_schema")


@pytest.mark.parametrize("method", METHODS)
def test_openais_response_format_is_a_schema(method: str) -> None:
    named = {"name": "Bill", "schema": {**BILL}, "strict": True}
    answer = "<<function>>Bill(amount=9)" if method == METHODS[0] else '{"amount": 9}'
    given = {"type": "json_schema", "json_schema": named}
    assert structured(answer, given, method=method).invoke("q") == {"amount": 9}


def test_a_schema_that_refers_to_itself_is_checked_too() -> None:
    tree = object_of(a={"type": "array", "uniqueItems": True, "items": {"$ref": "#"}})
    reader = structured('{"a": [{"a": []}, {"a": []}]}', tree, method="json_schema")
    with pytest.raises(OutputParserException, match="no item twice"):
        reader.invoke("q")


@pytest.mark.parametrize("answer", ['{"a": 1}', "[1]", "3"])
def test_a_schema_that_says_nothing_takes_any_json(answer: str) -> None:
    reader = structured(answer, {"title": "A"}, method="json_mode", include_raw=True)
    assert reader.invoke("q")["parsing_error"] is None


def test_what_is_no_schema_is_an_error_before_the_first_call_without_a_constraint() -> None:
    schema = object_of(a={"type": "string", "minLength": "many"})
    with pytest.raises(InvalidFunctionError, match="minLength"):
        structured("", schema, method="json_schema", constrained=False)


# --- Calls ---


@pytest.mark.parametrize("schema", [Bill, BILL, BillDict])
def test_a_call_that_is_refused_is_an_error_with_its_reason(schema: Any) -> None:
    name = "BillDict" if schema is BillDict else "Bill"
    answer = f"<<function>>{name}(amount='many')"
    with pytest.raises(OutputParserException, match=r"amount: got 'many', expected an integer"):
        structured(answer, schema).invoke("q")
    result = structured(answer, schema, include_raw=True).invoke("q")
    assert result["parsed"] is None
    assert "expected an integer" in str(result["parsing_error"])


@pytest.mark.parametrize("schema", [Bill, BILL])
def test_a_call_that_max_tokens_cuts_off_is_an_error(schema: Any) -> None:
    answer = "<<function>>Bill(amount=9, note='too long')"
    with pytest.raises(OutputParserException, match=r"cut off.*Raise max_tokens"):
        structured(answer, schema, max_tokens=2).invoke("q")


@pytest.mark.parametrize("schema", [Bill, BILL])
def test_an_answer_that_is_cut_off_before_its_call_is_an_error(schema: Any) -> None:
    with pytest.raises(OutputParserException, match="cut off"):
        structured("I will call the function", schema, max_tokens=2).invoke("q")


@pytest.mark.parametrize("schema", [Bill, BILL])
def test_an_answer_without_any_call_is_none(schema: Any) -> None:
    assert structured("no call", schema).invoke("q") is None
    assert list(structured("no call", schema).stream("q")) == []


def test_a_stream_of_a_refused_call_ends_in_an_error() -> None:
    with pytest.raises(OutputParserException, match="expected an integer"):
        list(structured("<<function>>Bill(note='a', amount='many')", BILL).stream("q"))


@pytest.mark.parametrize("schema", [list[str], Bill | None])
def test_a_type_that_is_no_class_is_an_error_that_says_what_to_write(schema: Any) -> None:
    with pytest.raises(InvalidFunctionError, match="RootModel"):
        structured("[]", schema, method="json_schema")


class PartDict(TypedDict):
    """A part of a bill."""

    amount: int | None
    note: NotRequired[str]


@pytest.mark.parametrize("method", METHODS)
def test_a_typed_dict_may_be_null_in_one_key_and_leave_out_another(method: Any) -> None:
    call, text = "<<function>>PartDict(amount=None)", '{"amount": null}'
    answer = call if method == "function_calling" else text
    assert structured(answer, PartDict, method=method).invoke("q") == {"amount": None}

import asyncio
import gc
import subprocess
import sys
import warnings

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import (
    AIMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    trim_messages,
)
from langchain_core.tools import tool
from pydantic import BaseModel, ValidationError

from langchain_gorilla import ChatGorilla, ScriptedEngine
from langchain_gorilla.errors import (
    ContradictorySchemaError,
    GenerationTimeoutError,
    InvalidFunctionError,
    PromptError,
    UnknownFormatError,
    UnknownToolError,
    UnsupportedOptionError,
)
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2


@tool
def get_weather(city: str, days: int = 1) -> str:
    """Get the weather.

    Args:
        city: Name of the city.
        days: How many days.
    """
    return "20 C"


TWO_CALLS = (
    "Let me see. <<function>>get_weather(city='Paris')<<function>>get_weather(city='Rome', days=2)"
)


def scripted(*answers: str, **kwargs: object) -> ChatGorilla:
    return ChatGorilla(model="bundled", engine=ScriptedEngine(answers, chunk=3), **kwargs)


def without_ids(key: str, value: object) -> object:
    """Ids are random."""
    if key == "invalid_tool_calls":
        return list(value.values())
    if key == "ungrounded_arguments":
        return [{k: v for k, v in each.items() if k != "id"} for each in value]
    return value


def comparable(message: AIMessage) -> dict[str, object]:
    """Return what invoke and stream have to agree on: all but random ids and the chunk type."""
    return {
        "content": message.content,
        "calls": [(c["name"], c["args"]) for c in message.tool_calls],
        "invalid": [(c["name"], c["args"]) for c in message.invalid_tool_calls],
        "usage": message.usage_metadata,
        "metadata": {k: without_ids(k, v) for k, v in message.response_metadata.items()},
    }


def merged(chunks) -> AIMessage:
    first, *rest = chunks
    return first + rest


ANSWERS = [
    "Hello there.",
    TWO_CALLS,
    "<<function>>get_weather(town='Paris')<<function>>get_weather(city='Rome')",
    "<<function>>get_weather(city='Par",
    "",
]


@pytest.mark.parametrize("answer", ANSWERS)
async def test_invoke_ainvoke_stream_and_astream_give_the_same_message(answer):
    model = scripted(*[answer] * 4).bind_tools([get_weather])
    invoked = comparable(model.invoke("Hi"))
    assert comparable(await model.ainvoke("Hi")) == invoked
    assert comparable(merged(list(model.stream("Hi")))) == invoked
    assert comparable(merged([chunk async for chunk in model.astream("Hi")])) == invoked


@pytest.mark.parametrize("answer", ANSWERS)
def test_streaming_inside_invoke_gives_the_same_message(answer):
    whole = scripted(answer).bind_tools([get_weather]).invoke("Hi")
    streamed = scripted(answer, streaming=True).bind_tools([get_weather]).invoke("Hi")
    assert comparable(streamed) == comparable(whole)


def test_parallel_calls_become_tool_calls():
    answer = scripted(TWO_CALLS).bind_tools([get_weather]).invoke("Hi")
    assert [(c["name"], c["args"]) for c in answer.tool_calls] == [
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "Rome", "days": 2}),
    ]
    assert answer.content.strip() == "Let me see."


def test_an_invalid_call_says_why_in_its_error():
    answer = scripted(ANSWERS[2]).bind_tools([get_weather]).invoke("Hi")
    assert "town" in answer.invalid_tool_calls[0]["error"]
    assert len(answer.tool_calls) == 1


def test_an_answer_that_max_tokens_cuts_off_inside_a_call_has_no_valid_call():
    model = scripted("<<function>>get_weather(city='Paris, the capital of France')", max_tokens=2)
    answer = model.bind_tools([get_weather]).invoke("Hi")
    assert not answer.tool_calls
    assert "cut off" in answer.invalid_tool_calls[0]["error"]
    assert answer.response_metadata["finish_reason"] == "length"


def test_response_metadata_names_model_provider_format_and_reason():
    answer = scripted("Hello.").invoke("Hi")
    assert answer.response_metadata == {
        "model_name": "bundled",
        "model_provider": "gorilla",
        "format": "openfunctions-v2",
        "finish_reason": "stop",
        "generated_tokens": 1,
    }


def test_the_tools_are_in_the_prompt():
    model = scripted("Hello.")
    model.bind_tools([get_weather]).invoke("Hi")
    assert '<<function>>[{"name": "get_weather"' in model.engine.prompts[0]


def test_tools_under_other_names_come_back_under_their_own():
    model = scripted("<<function>>get_weather(from_=3, top=1)")
    schema = {"type": "object", "properties": {"from": {"type": "integer"}, "top": {}}}
    bound = model.bind_tools([{"name": "get-weather", "description": "", "parameters": schema}])
    assert bound.invoke("Hi").tool_calls[0]["args"] == {"from": 3, "top": 1}
    assert bound.kwargs["tools"][0]["function"]["name"] == "get-weather"


# --- Bad inputs ---


def test_an_unknown_model_id_says_to_choose_a_format():
    with pytest.raises(UnknownFormatError, match=r"acme/chat-7b.*format="):
        ChatGorilla(model="acme/chat-7b")


def test_an_unknown_format_lists_the_known_ones():
    with pytest.raises(UnknownFormatError, match="openfunctions-v2"):
        ChatGorilla(model="bundled", format="openfunction")


@pytest.mark.parametrize("options", [{}, {"model": "", "format": "openfunctions-v2"}])
@pytest.mark.parametrize("variable", [{}, {"GORILLA_MODEL": ""}])
def test_no_model_says_what_to_pass(options, variable, monkeypatch):
    monkeypatch.delenv("GORILLA_MODEL", raising=False)
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UnsupportedOptionError, match='model="bundled"'):
        ChatGorilla(**options)


@pytest.mark.parametrize(
    ("tools", "error"),
    [
        ([{"type": "function", "function": {"description": "x"}}], "name"),
        ([get_weather, {"name": "get_weather", "description": "Another."}], "get_weather"),
        ([{"name": "f", "description": "", "parameters": {"type": 5}}], "f"),
        ([object()], "object"),
        (get_weather, r"Expected a list.*\[tool\]"),
        (None, "Expected a list"),
    ],
)
def test_a_tool_that_cannot_be_offered_is_an_error_at_bind_time(tools, error):
    with pytest.raises(InvalidFunctionError, match=error):
        scripted("").bind_tools(tools)


def test_one_tool_in_two_forms_is_offered_once():
    class Person(BaseModel):
        """A person."""

        name: str

    bound = scripted("").bind_tools([Person, Person.model_json_schema(), get_weather])
    assert len(bound.kwargs["tools"]) == 2


def test_a_tool_choice_that_is_not_bound_is_an_error_at_bind_time():
    with pytest.raises(UnknownToolError, match="get_weather"):
        scripted("").bind_tools([get_weather], tool_choice="get_wether")


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([], "empty|no message"),
        ([ToolMessage("20 C", tool_call_id="call_9")], "call_9"),
        (
            [HumanMessage([{"type": "image_url", "image_url": {"url": "data:,"}}])],
            "image_url",
        ),
    ],
)
def test_messages_that_make_no_prompt_are_an_error(messages, error):
    with pytest.raises(PromptError, match=error):
        scripted("").invoke(messages)


def test_a_prompt_that_does_not_fit_says_how_many_tokens_are_allowed():
    model = ChatGorilla(model="bundled", engine=ScriptedEngine(["Hi"], context_tokens=20))
    with pytest.raises(ContextOverflowError, match="20"):
        model.invoke("word " * 100)


def test_an_argument_of_another_library_is_kept_with_a_warning():
    with pytest.warns(UserWarning, match="attn_implementation: not an option of ChatGorilla"):
        model = scripted("", attn_implementation="eager")
    assert model.model_kwargs == {"attn_implementation": "eager"}


class _Heard(BaseCallbackHandler):
    def __init__(self) -> None:
        self.tokens: list[str] = []

    def on_llm_new_token(self, token: str, **_: object) -> None:
        self.tokens.append(token)


def test_stream_is_an_option_of_a_call_that_langchain_hears():
    heard = _Heard()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scripted("Hello there.").invoke("Hi", {"callbacks": [heard]}, stream=True)
    assert "".join(heard.tokens) == "Hello there."


def test_an_option_of_a_call_that_is_unknown_is_warned_about():
    with pytest.warns(UserWarning, match="frequency_penalty: not an option"):
        scripted("Hi").invoke("Hi", frequency_penalty=1)


def test_a_timeout_is_langchains_own_error():
    model = ChatGorilla(
        model="bundled", engine=ScriptedEngine(["a b c d"], delay_s=0.2), timeout=0.1
    )
    with pytest.raises(GenerationTimeoutError, match=r"0\.1"):
        model.invoke("Hi")


async def test_cancelling_a_task_stops_the_engine():
    engine = ScriptedEngine(["word " * 1000], delay_s=0.01)
    task = asyncio.create_task(ChatGorilla(model="bundled", engine=engine).ainvoke("Hi"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# --- Options ---


def test_stop_texts_end_an_answer_and_are_not_in_it():
    assert scripted("one two three").invoke("Hi", stop=["two"]).text.strip() == "one"
    assert scripted("one two three", stop=["three"]).invoke("Hi").text.strip() == "one two"


def test_options_of_a_call_replace_those_of_the_model():
    assert scripted("one two three", max_tokens=50).invoke("Hi", max_tokens=1).text == "one"


def test_a_probability_that_is_no_number_is_an_error_of_the_call():
    with pytest.raises(UnsupportedOptionError, match=r"min_call_probability='x'.*a probability"):
        scripted("one").invoke("Hi", min_call_probability="x")


@pytest.mark.parametrize("option", [{"temperature": -1}, {"top_p": 0}, {"max_tokens": 0}])
def test_options_out_of_range_are_an_error(option):
    with pytest.raises(ValidationError, match=next(iter(option))):
        ChatGorilla(model="bundled", **option)


def test_what_changes_an_answer_is_in_the_cache_key():
    options = [
        {}, {"temperature": 0.5}, {"seed": 1}, {"max_tokens": 5}, {"stop": ["x"]},
        {"format": "openfunctions-v1"}, {"revision": "abc"}, {"dtype": "bfloat16"},
        {"format": OpenFunctionsV2(system="A")}, {"format": OpenFunctionsV2(system="B")},
        {"output_version": "v1"},
    ]  # fmt: skip
    keys = {ChatGorilla(model="bundled", **option)._get_llm_string() for option in options}
    assert len(keys) == len(options)


def test_a_cached_answer_is_not_generated_again():
    model = scripted("one", cache=InMemoryCache())
    assert model.invoke("Hi").text == model.invoke("Hi").text
    assert len(model.engine.prompts) == 1


def test_the_stop_texts_of_a_trace_are_a_list_however_they_are_given():
    for model, stop in ((scripted("", stop="###"), None), (scripted(""), "###")):
        assert model._get_ls_params(stop=stop)["ls_stop"] == ["###"]


def test_a_large_catalog_leaves_a_fingerprint_in_traces_and_keys():
    tools = [{"name": f"tool_{i}", "description": "x" * 100, "parameters": {}} for i in range(500)]
    bound = scripted("").bind_tools(tools)
    key = bound.bound._get_llm_string(**bound.kwargs)
    assert len(key) < 2000
    other = scripted("").bind_tools([*tools[:-1], {**tools[-1], "description": "y"}])
    assert other.bound._get_llm_string(**other.kwargs) != key


def test_token_counts_include_the_tools():
    model = scripted("")
    messages = [HumanMessage("Hi")]
    assert model.get_num_tokens_from_messages(
        messages, tools=[get_weather]
    ) > model.get_num_tokens_from_messages(messages)


def test_langchains_trimming_counts_pieces_of_conversations():
    history = [
        SystemMessage("Be brief."),
        HumanMessage("Weather? " * 50),
        AIMessage("", tool_calls=[{"name": "get_weather", "args": {"city": "Rome"}, "id": "1"}]),
        ToolMessage("20 C", tool_call_id="1"),
        HumanMessage("Thanks."),
    ]
    model = scripted("")
    kept = trim_messages(history, max_tokens=40, token_counter=model, include_system=True)
    assert kept[0].text == "Be brief."
    assert len(kept) < len(history)


def test_langchains_trimming_counts_the_calls_of_the_end_that_it_keeps():
    history = []
    for number in "123456":
        call = {"name": "get_weather", "args": {"city": "Rome " * 50}, "id": number}
        history += [HumanMessage("Weather?"), AIMessage("", tool_calls=[call])]
        history += [ToolMessage("20 C", tool_call_id=number), AIMessage("20 C.")]
    model = scripted("")
    kept = trim_messages(history, max_tokens=400, token_counter=model, start_on="human")
    assert kept == history[-8:]
    assert model.get_num_tokens_from_messages(kept) <= 400


def test_an_end_whose_first_calls_are_cut_off_counts_its_further_calls():
    call = {"name": "get_weather", "args": {"city": "Rome " * 50}, "id": "2"}
    end = [ToolMessage("20 C", tool_call_id="1"), AIMessage("20 C."), HumanMessage("And there?")]
    more = [AIMessage("", tool_calls=[call]), ToolMessage("21 C", tool_call_id="2")]
    count = scripted("").get_num_tokens_from_messages
    assert count(end) == count([HumanMessage("20 C"), *end[1:]])
    assert count([*end, *more]) > count(end) + 50


def test_the_profile_claims_what_is_true():
    profile = ChatGorilla(model="bundled", max_tokens=9, context_tokens=100).profile
    assert profile["max_input_tokens"] == 100
    assert profile["max_output_tokens"] == 9
    assert profile["tool_calling"]
    assert profile["structured_output"]


# --- Structured output ---


class Joke(BaseModel):
    """A joke."""

    setup: str
    punchline: str


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("function_calling", "<<function>>Joke(setup='a', punchline='b')"),
        ("json_schema", '{"setup": "a", "punchline": "b"}'),
        ("json_mode", '{"setup": "a", "punchline": "b"}'),
    ],
)
def test_structured_output_is_parsed_in_every_method(method, answer):
    joke = Joke(setup="a", punchline="b")
    model = scripted(answer, answer)
    assert model.with_structured_output(Joke, method=method).invoke("Joke?") == joke
    as_dict = model.with_structured_output(Joke.model_json_schema(), method=method)
    assert as_dict.invoke("Joke?") == joke.model_dump()


def test_the_model_reads_the_schema_it_has_to_fill():
    model = scripted('{"setup": "a", "punchline": "b"}')
    model.with_structured_output(Joke, method="json_schema").invoke("Joke?")
    assert "punchline" in model.engine.prompts[0]


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_raw_output_comes_with_the_parsing_error(method):
    model = scripted("no joke").with_structured_output(Joke, method=method, include_raw=True)
    result = model.invoke("Joke?")
    assert result["raw"].text == "no joke"
    assert result["parsed"] is None


def test_an_unknown_method_is_an_error():
    with pytest.raises(UnsupportedOptionError, match="function_calling"):
        scripted("").with_structured_output(Joke, method="xml")
    with pytest.raises(UnsupportedOptionError, match="tools"):
        scripted("").with_structured_output(Joke, tools=[get_weather])


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_what_is_no_schema_is_an_error_in_every_method(method):
    with pytest.raises(InvalidFunctionError, match="JSON schema with a title"):
        scripted("").with_structured_output(5, method=method)


@pytest.mark.parametrize("method", ["function_calling", "json_schema", "json_mode"])
def test_structured_output_that_cannot_be_enforced_is_an_error_before_the_first_call(method):
    with pytest.raises(UnsupportedOptionError, match="gorilla-7b answers in free sections"):
        scripted("", format="gorilla-7b").with_structured_output(Joke, method=method)
    look_ahead = {"type": "string", "pattern": "^(?=.*a)b"}
    schema = {"title": "A", "type": "object", "properties": {"x": look_ahead}}
    with pytest.raises(UnsupportedOptionError, match=r"strict=True.*'pattern'"):
        scripted("").with_structured_output(schema, method=method, strict=True)


# --- v1 output ---


def test_v1_output_keeps_text_and_calls_apart():
    model = scripted(TWO_CALLS + " Done.", output_version="v1").bind_tools([get_weather])
    message = merged(list(model.stream("Hi")))
    kinds = [block["type"] for block in message.content_blocks]
    assert kinds.count("text") == 2
    assert [c["args"] for c in message.tool_calls] == [
        {"city": "Paris"},
        {"city": "Rome", "days": 2},
    ]
    assert message.text.replace(" ", "") == "Letmesee.Done."


@pytest.mark.parametrize("action", ["fill", "ask"])
@pytest.mark.parametrize("answer", [*ANSWERS, TWO_CALLS + " Done.", "<<function>>get_weather()"])
async def test_v1_output_is_the_same_in_a_stream_and_a_whole(answer, action):
    def read(message):
        # What merging leaves of a refused call says its type wrong: see messages.
        refused = {call["id"] for call in message.invalid_tool_calls}
        blocks = [
            "refused" if block.get("id") in refused
            else {key: value for key, value in block.items() if key != "id"}
            for block in message.content_blocks
        ]  # fmt: skip
        return {**comparable(message), "content": blocks}

    options = {"output_version": "v1", "on_missing_argument": action}
    model = scripted(*[answer] * 4, **options).bind_tools([get_weather])
    invoked = read(model.invoke("Paris?"))
    assert read(await model.ainvoke("Paris?")) == invoked
    assert read(merged(list(model.stream("Paris?")))) == invoked
    assert read(merged([chunk async for chunk in model.astream("Paris?")])) == invoked


# --- Import ---


def test_importing_the_package_loads_neither_torch_nor_transformers():
    code = "import sys, langchain_gorilla; print({'torch', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_abandoned_stream_leaves_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stream = scripted("one two three").stream("Hi")
        next(stream)
        stream.close()
        gc.collect()


# --- Families ---

DETECT = {
    "name": "detect",
    "description": "Find objects.",
    "parameters": {"type": "object", "properties": {"image": {"type": "string"}}},
}


@pytest.mark.parametrize(
    ("format", "answer"),
    [
        ("openfunctions-v2", "<<function>>detect(image='a.jpg')"),
        ("openfunctions-v1", "detect(image='a.jpg')"),
        ("openfunctions-v0", "detect(image='a.jpg')"),
        ("gorilla-7b", "<<<domain>>>: Vision\n<<<api_call>>>: detect(image='a.jpg')"),
        ("gorilla-7b", "{'domain': 'Vision', 'api_call': 'detect(image='a.jpg')'}"),
        ("llama-pythonic", "[detect(image='a.jpg')]"),
        ("llama-4-pythonic", "<|python_start|>[detect(image='a.jpg')]<|python_end|>"),
        ("lfm2", "<|tool_call_start|>[detect(image='a.jpg')]<|tool_call_end|>"),
        ("lfm2.5", "[detect(image='a.jpg')]"),
        ("olmo-3", "<function_calls>detect(image='a.jpg')</function_calls>"),
        ("nexusraven-2", "Call: detect(image='a.jpg')<bot_end>\nThought: it fits."),
    ],
)
def test_every_family_calls_a_tool_and_reads_its_result(format, answer):
    model = scripted(answer, "A cat.", format=format).bind_tools([DETECT])
    called = model.invoke("What is in a.jpg?")
    assert [(c["name"], c["args"]) for c in called.tool_calls] == [("detect", {"image": "a.jpg"})]
    result = ToolMessage("one cat", tool_call_id=called.tool_calls[0]["id"])
    assert model.invoke([HumanMessage("What is in a.jpg?"), called, result]).text == "A cat."
    assert "one cat" in model.bound.engine.prompts[1]


def test_a_refusal_by_a_function_of_the_familys_own_is_text():
    model = scripted("Call: out_of_domain(user_query='Sing.')<bot_end>", format="nexusraven-2")
    answer = model.bind_tools([DETECT]).invoke("Sing.")
    assert not answer.tool_calls
    assert not answer.invalid_tool_calls
    assert "None of the available functions" in answer.text


def test_a_format_of_the_callers_own_is_used():
    from langchain_gorilla.formats.registry import format_named

    own = format_named("olmo-3")
    assert scripted("Hi", format=own).invoke("Hi").response_metadata["format"] == "olmo-3"


# --- Constraints ---


def wanted(model, **call):
    """Return what the engine was asked to hold the answer to."""
    model.invoke("Hi", **call)
    constraint = model.bound.engine.requests[-1].constraint
    return None if constraint is None else constraint.answer


def bound(**options):
    return scripted(*["Hi"] * 3).bind_tools([get_weather], **options)


def test_a_tool_choice_reaches_the_engine():
    assert wanted(bound()).mode == "auto"
    assert wanted(bound(tool_choice="any")).mode == "any"
    assert wanted(bound(tool_choice="get_weather")).name == "get_weather"
    assert wanted(bound(tool_choice="none")).mode == "none"
    assert not wanted(bound(parallel_tool_calls=False)).parallel


def test_an_option_of_one_call_counts_for_that_call():
    model = bound()
    assert wanted(model, tool_choice="any").mode == "any"
    assert wanted(model).mode == "auto"


def test_create_agents_union_of_calls_and_final_json_reaches_the_engine():
    schema = {"type": "json_schema", "json_schema": {"name": "joke", "schema": {"type": "object"}}}
    answer = wanted(bound(response_format=schema))
    assert (answer.mode, answer.final) == ("auto", {"type": "object"})


def get_time(city: str) -> str:
    """Get the time."""
    return "noon"


def test_of_the_allowed_tools_the_model_reads_and_calls_these_alone():
    choice = {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "required",
            "tools": [{"type": "function", "function": {"name": "get_time"}}],
        },
    }
    at_bind = scripted("Hi").bind_tools([get_weather, get_time], tool_choice=choice)
    assert wanted(at_bind).mode == "any"
    of_a_call = scripted("Hi").bind_tools([get_weather, get_time])
    assert wanted(of_a_call, tool_choice=choice).mode == "any"
    assert at_bind.bound.engine.prompts == of_a_call.bound.engine.prompts
    assert "get_time" in at_bind.bound.engine.prompts[0]
    assert "get_weather" not in at_bind.bound.engine.prompts[0]


def test_a_class_as_response_format_is_its_schema_at_bind_and_in_a_call():
    at_bind, of_a_call = bound(response_format=Joke), bound()
    final = wanted(at_bind).final
    assert list(final["properties"]) == ["setup", "punchline"]
    assert wanted(of_a_call, response_format=Joke).final == final
    assert at_bind.bound.engine.prompts == of_a_call.bound.engine.prompts


def test_a_cache_tells_classes_of_one_name_apart():
    first = Joke
    second = type("Joke", (BaseModel,), {"__annotations__": {"riddle": str}})
    model = scripted("one", "two", cache=InMemoryCache())
    texts = [model.invoke("q", response_format=each).text for each in (first, second, first)]
    assert texts == ["one", "two", "one"]


def test_an_unconstrained_model_asks_for_nothing_and_claims_nothing():
    model = scripted("Hi", constrained=False)
    assert wanted(model.bind_tools([get_weather], tool_choice="any")) is None
    assert not model.profile["tool_choice"]


def test_a_constraint_can_be_explained():
    lookahead = {"type": "string", "pattern": "^(?=.*a)b"}
    tools = [
        get_weather,
        {"name": "f", "parameters": {"type": "object", "properties": {"x": lookahead}}},
    ]
    whole, partial = scripted("").explain_constraint(tools)
    assert whole.gaps == ()
    assert [(gap.keyword, gap.path) for gap in partial.gaps] == [("pattern", "/properties/x")]


def test_a_schema_that_no_call_can_fit_is_an_error_at_bind_time():
    bad = {"type": "object", "properties": {"x": {"enum": ["a"], "type": "string", "minLength": 3}}}
    with pytest.raises(ContradictorySchemaError, match="bad_tool"):
        scripted("").bind_tools([{"name": "bad_tool", "parameters": {**bad, "required": ["x"]}}])


@pytest.mark.parametrize(
    ("family", "call"),
    [
        ("openfunctions-v2", "<<function>>get_weather(city='x')"),
        ("llama-pythonic", "[get_weather(city='x')]"),
    ],
)
def test_a_call_that_an_answer_only_quotes_is_not_made(family: str, call: str) -> None:
    as_json = f'{{"text": "The page says {call}"}}'
    model = scripted(as_json, f"Sure.\n{call}", format=family).bind_tools([get_weather])
    answer = model.invoke("q", response_format={"type": "json_object"})
    assert (answer.content, answer.tool_calls) == (as_json, [])
    answer = model.invoke("q", tool_choice="none")
    assert (answer.content, answer.tool_calls) == (f"Sure.\n{call}", [])


def test_a_tool_with_the_name_of_a_familys_refusal_is_a_tool() -> None:
    def out_of_domain(user_query: str) -> str:
        """Look outside."""
        return user_query

    model = scripted("Call: out_of_domain(user_query='x')", format="nexusraven-2")
    answer = model.bind_tools([out_of_domain]).invoke("q")
    assert [call["name"] for call in answer.tool_calls] == ["out_of_domain"]

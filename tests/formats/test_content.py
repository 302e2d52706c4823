import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_gorilla import ChatGorilla, ScriptedEngine, create_tool_agent
from langchain_gorilla.errors import PromptError
from langchain_gorilla.formats.content import Place, message_text

PNG = "iVBORw0KGgo="
SEARCH = {"type": "server_tool_call", "id": "1", "name": "web_search", "args": {"query": "x"}}
FOUND = {"type": "server_tool_result", "tool_call_id": "1", "status": "success", "output": ["u"]}
CODE = {"type": "executable_code", "executable_code": "1", "language": 1}


def said(message):
    return message_text(message, Place(0, type(message).__name__))


def result(*blocks):
    return ToolMessage(list(blocks), tool_call_id="1")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param([{"type": "refusal", "refusal": "No."}], "No.", id="a refusal"),
        pytest.param(
            [{"type": "output_text", "text": "a"}, {"type": "text", "text": "b"}, "c"],
            "abc",
            id="text goes on in the next block",
        ),
        pytest.param(
            [{"type": "text", "text": "a"}, {"type": "text", "index": 1}],
            "a",
            id="a streamed text that came to nothing",
        ),
        pytest.param(
            ["Wait. ", SEARCH, FOUND, "It ", "is."],
            'Wait. \n{"type": "server_tool_call", "id": "1", "name": "web_search", '
            '"args": {"query": "x"}}\n'
            '{"type": "server_tool_result", "tool_call_id": "1", "status": "success", '
            '"output": ["u"]}\nIt is.',
            id="what a provider's own tools were asked and gave, a line each",
        ),
        pytest.param(
            [{"type": "found", "content": [{"url": "u", "encrypted_content": "zzz"}]}],
            '{"type": "found", "content": [{"url": "u"}]}',
            id="without what is encrypted",
        ),
        pytest.param(
            [{"type": "non_standard", "value": CODE}],
            '{"type": "executable_code", "executable_code": "1", "language": 1}',
            id="non_standard holds the provider's own block",
        ),
        pytest.param(
            [
                {"type": "non_standard", "value": {"type": "redacted_thinking", "data": "zzz"}},
                {"type": "reasoning_content", "reasoning_content": {"text": "hm"}},
                {"type": "function_call_signature", "signature": "zzz"},
                {"type": "input_json_delta", "partial_json": "{}"},
                {"type": "custom_tool_call", "name": "f", "input": "1", "call_id": "1"},
            ],
            "",
            id="thoughts and calls are not said",
        ),
    ],
)
def test_an_assistant_says_text_and_what_its_providers_tools_gave(content, text):
    assert said(AIMessage(content)) == text


@pytest.mark.parametrize(
    ("beside", "text"),
    [
        ({"refusal": "No."}, "No."),
        ({"audio": {"id": "1", "data": "zzz", "transcript": "Yes."}}, "Yes."),
        ({"refusal": None, "audio": None}, ""),
    ],
)
def test_what_openai_keeps_beside_the_content_is_said_too(beside, text):
    assert said(AIMessage("", additional_kwargs=beside)) == text


def test_a_refusal_that_stands_in_the_content_too_is_said_once():
    block = {"type": "refusal", "refusal": "No."}
    assert said(AIMessage([block], additional_kwargs={"refusal": "No."})) == "No."


@pytest.mark.parametrize(
    ("blocks", "text"),
    [
        pytest.param([], "[]", id="nothing found"),
        pytest.param(["a", "b"], '["a", "b"]', id="texts"),
        pytest.param(
            [{"type": "document", "name": "é.txt"}],
            '[{"type": "document", "name": "é.txt"}]',
            id="objects with a type",
        ),
        pytest.param(
            [{"type": "file", "name": "a", "url": "https://example.org/a"}],
            '[{"type": "file", "name": "a", "url": "https://example.org/a"}]',
            id="a link",
        ),
        pytest.param(
            [{"type": "text", "label": "Name"}],
            '[{"type": "text", "label": "Name"}]',
            id="objects whose type is text",
        ),
        pytest.param(
            [{"type": "text", "text": "Paris"}, {"type": "text", "text": "Tokyo"}],
            "Paris\nTokyo",
            id="blocks of text are a line each",
        ),
        pytest.param(
            [{"type": "text", "text": "See"}, {"type": "resource_link", "uri": "file:///a"}],
            'See\n{"type": "resource_link", "uri": "file:///a"}',
            id="blocks of an unknown kind beside text",
        ),
    ],
)
def test_a_result_is_the_value_that_the_tool_returned(blocks, text):
    assert said(result(*blocks)) == text


def test_a_tool_that_lists_files_does_not_end_the_agent():
    def look() -> list:
        """List the files."""
        return [{"type": "file", "name": "a.txt", "size": 3}]

    engine = ScriptedEngine(["<<function>>look()", "One file."])
    agent = create_tool_agent(ChatGorilla(model="bundled", engine=engine), [look])
    answer = agent.invoke({"messages": [("human", "Which files are there?")]})["messages"][-1]
    assert answer.text == "One file."
    assert '[{"type": "file", "name": "a.txt", "size": 3}]' in str(engine.prompts[1])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"text": "a"}], "a"),
        ([{"type": "input_text", "text": "a"}, {"cachePoint": {"type": "default"}}], "a"),
        (
            [{"type": "text-plain", "text": "T", "mime_type": "text/plain"}, "q"],
            '{"type": "text-plain", "text": "T", "mime_type": "text/plain"}\nq',
        ),
        (
            [{"type": "document", "source": {"type": "text", "data": "T"}}],
            '{"type": "document", "source": {"type": "text", "data": "T"}}',
        ),
        (
            [{"type": "file", "source_type": "text", "text": "T"}],
            '{"type": "file", "source_type": "text", "text": "T"}',
        ),
    ],
)
def test_a_person_says_text_in_any_providers_form(content, text):
    assert said(HumanMessage(content)) == text
    assert said(SystemMessage(content)) == text


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "base64": PNG, "mime_type": "image/png"},
        {"type": "image", "source_type": "base64", "data": PNG, "mime_type": "image/png"},
        {"type": "image", "data": PNG, "mimeType": "image/png"},
        {"type": "resource", "resource": {"blob": PNG, "uri": "file:///a"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "input_audio", "input_audio": {"data": PNG, "format": "wav"}},
        {"type": "seen", "pages": [{"picture": b"\x89PNG"}]},
    ],
)
@pytest.mark.parametrize("message", [HumanMessage, AIMessage, result], ids=str)
def test_bytes_are_an_error_whoever_sends_them(message, block):
    with pytest.raises(PromptError, match="reads text only"):
        said(message([block]) if message is not result else result(block))


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "url": "https://example.org/a.png"},
        {"type": "file", "file_id": "1"},
        {"type": "document", "source": {"type": "url", "url": "https://example.org/a.pdf"}},
        {"type": "image_generation_call", "id": "1", "result": PNG},
    ],
)
def test_media_that_are_elsewhere_are_an_error_unless_a_tool_names_them(block):
    for message in (HumanMessage([block]), AIMessage([block])):
        with pytest.raises(PromptError, match=f"{block['type']!r}.*reads text only"):
            said(message)
    assert block["type"] in said(result(block))


def _circle():
    circle = {"type": "document"}
    circle["inner"] = circle
    return circle


@pytest.mark.parametrize(
    ("block", "match"),
    [
        (_circle(), "nested too deeply"),
        ({"type": "document", ("a", "b"): 1}, "JSON cannot write"),
    ],
)
def test_a_block_that_is_no_json_is_an_error(block, match):
    message = result()
    message.content = [block]
    with pytest.raises(PromptError, match=match):
        said(message)

"""The exact text of every family's prompts."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_gorilla.calls import FunctionCall
from langchain_gorilla.errors import PromptError
from langchain_gorilla.formats.base import (
    BOS,
    EOS,
    AssistantTurn,
    FailedCall,
    HumanTurn,
    Special,
    make_prompt,
    prompt_text,
)
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
from langchain_gorilla.formats.registry import FORMATS
from langchain_gorilla.functions import FunctionSchema, FunctionSet
from langchain_gorilla.parsing.python_calls import collect, parse

FUNCTIONS = FunctionSet(
    [
        FunctionSchema(
            "get-weather",
            "Wetter für eine Stadt.",
            {
                "type": "object",
                "properties": {
                    "days": {"type": "integer", "enum": [1, 7]},
                    "city": {"type": "string", "description": "Where."},
                },
                "required": ["city"],
            },
        )
    ]
)
PARAMETERS = (
    '"parameters": {"type": "object", "properties": {"days": {"type": "integer", "enum": [1, 7]}, '
    '"city": {"type": "string", "description": "Where."}}, "required": ["city"]}}'
)
ASCII_TOOL = r'{"name": "get_weather", "description": "Wetter f\u00fcr eine Stadt.", ' + PARAMETERS
TOOL = ASCII_TOOL.replace(r"\u00fc", "ü")
V1_TOOL = ASCII_TOOL.replace('"get_weather", ', '"get_weather", "api_name": "get_weather", ', 1)
V0_TOOL = V1_TOOL.replace("api_name", "api_call")

SYSTEM = SystemMessage("Be brief.")
QUESTION = HumanMessage("Boston and Köln?")
CALLS = AIMessage(
    "Let me see.",
    tool_calls=[
        {"name": "get-weather", "args": {"city": "Boston"}, "id": "1"},
        {"name": "get-weather", "args": {"city": "Köln", "days": 7}, "id": "2"},
    ],
)
RESULTS = [
    ToolMessage("no such city", tool_call_id="2", status="error"),
    ToolMessage('{"temperature": 5}', tool_call_id="1"),
]
ANSWER = AIMessage("5 degrees.")
NEXT = HumanMessage("Thanks. And Rome?")

V2_SYSTEM = (
    "You are an AI programming assistant, utilizing the Gorilla LLM model, developed by Gorilla "
    "LLM, and you only answer questions related to computer science. For politically sensitive "
    "questions, security and privacy issues, and other non-computer science questions, you will "
    "refuse to answer.\n"
)
VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions.\n"
)
LINES = (
    "The calls returned:\n"
    "get_weather(city='Boston') -> {\"temperature\": 5}\n"
    "get_weather(city='Köln', days=7) -> error \"no such city\"\n"
)
GO_ON = "Answer the question from these results, or call the next function."
LLAMA_TOOLS = (
    "You are an expert in composing functions. You are given a question and a set of possible "
    "functions. Based on the question, you will need to make one or more function/tool calls to "
    "achieve the purpose.\nIf none of the function can be used, point it out. If the given "
    "question lacks the parameters required by the function, also point it out.\nYou should only "
    "return the function call in tools call sections.\n\nIf you decide to invoke any of the "
    "function(s), you MUST put it in the format of [func_name1(params_name1=params_value1, "
    "params_name2=params_value2...), func_name2(params)]\nYou SHOULD NOT include any other text "
    "in the response.\nHere is a list of functions in JSON format that you can invoke.\n"
)
OLMO_TOOLS = (
    "You are provided with function signatures within <functions></functions> XML tags. You may "
    "call one or more functions to assist with the user query. Output any function calls within "
    "<function_calls></function_calls> XML tags. Do not make assumptions about what values to "
    "plug into functions."
)
RAVEN_TOOLS = '''
Function:
def get_weather(*, days: int = None, city: str):
    """
    Wetter für eine Stadt.

    Args:
    days (int): One of 1, 7.
    city (str): Where.
    """

Function:
def out_of_domain(user_query: str):
    """
    This function is designed to handle out-of-domain queries from the user. If the user provides \
any input user query that is out of the domain of the other APIs provided above, this function \
should be used with the input user query as the string.

    Args:
    user_query (str): The query that is out of domain.
    """

'''

# Special tokens are spelled out here; <bos> and <eos> stand for the roles.
PLAIN = {
    "openfunctions-v2": (
        f"<bos>{V2_SYSTEM}### Instruction: <<question>> Boston and Köln?\n### Response: "
    ),
    "openfunctions-v1": "<bos>USER: <<question>> Boston and Köln?\nASSISTANT: ",
    "openfunctions-v0": "<bos>USER: <<question>> Boston and Köln?\nASSISTANT: ",
    "gorilla-7b": f"<bos>{VICUNA}USER: Boston and Köln?\nASSISTANT:",
    "llama-pythonic": (
        "<bos><|start_header_id|>user<|end_header_id|>\n\nBoston and Köln?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "llama-4-pythonic": (
        "<bos><|header_start|>user<|header_end|>\n\nBoston and Köln?<|eot|>"
        "<|header_start|>assistant<|header_end|>\n\n"
    ),
    "lfm2": "<bos><|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\n",
    "lfm2.5": "<bos><|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\n",
    "olmo-3": (
        "<|im_start|>system\nYou are a helpful function-calling AI assistant. You do not currently "
        "have access to any functions. <functions></functions><|im_end|>\n"
        "<|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "nexusraven-2": "<bos>User Query: Boston and Köln?<human_end>\n\n",
}
TOOLS = {
    "openfunctions-v2": (
        f"<bos>{V2_SYSTEM}### Instruction: <<function>>[{ASCII_TOOL}]\n"
        "<<question>>Boston and Köln?\n### Response: "
    ),
    "openfunctions-v1": (
        f"<bos>USER: <<question>> Boston and Köln? <<function>> [{V1_TOOL}]\nASSISTANT: "
    ),
    "openfunctions-v0": (
        f"<bos>USER: <<question>> Boston and Köln? <<function>> [{V0_TOOL}]\nASSISTANT: "
    ),
    "gorilla-7b": (
        f"<bos>{VICUNA}USER: Boston and Köln?\n Use this API documentation for reference: "
        f"{ASCII_TOOL}\nASSISTANT:"
    ),
    "llama-pythonic": (
        f"<bos><|start_header_id|>system<|end_header_id|>\n\n{LLAMA_TOOLS}[{TOOL}]\n<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nBoston and Köln?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "llama-4-pythonic": (
        "<bos><|header_start|>system<|header_end|>\n\nHere is a list of functions in JSON format "
        "that you can invoke. Use exact format: [func_name1(param1=value1, param2=value2), "
        f"func_name2(...)]\n[{TOOL}]\n<|eot|>"
        "<|header_start|>user<|header_end|>\n\nBoston and Köln?<|eot|>"
        "<|header_start|>assistant<|header_end|>\n\n"
    ),
    "lfm2": (
        "<bos><|im_start|>system\nList of tools: <|tool_list_start|>"
        f"[{TOOL}]<|tool_list_end|><|im_end|>\n"
        "<|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "lfm2.5": (
        f"<bos><|im_start|>system\nList of tools: [{TOOL}]<|im_end|>\n"
        "<|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "olmo-3": (
        "<|im_start|>system\nYou are a helpful function-calling AI assistant. "
        f'{OLMO_TOOLS}<functions>[{{"type": "function", "function": {TOOL}}}]</functions>'
        "<|im_end|>\n<|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "nexusraven-2": f"<bos>{RAVEN_TOOLS}User Query: Boston and Köln?<human_end>\n\n",
}
HISTORY = {
    "openfunctions-v2": (
        f"<bos>{V2_SYSTEM}Be brief.\n### Instruction: <<function>>[{ASCII_TOOL}]\n"
        "<<question>>Boston and Köln?\n### Response: Let me see."
        "<<function>>get_weather(city='Boston')<<function>>get_weather(city='Köln', days=7)\n"
        f"<eos>\n### Instruction: <<question>>{LINES}{GO_ON}\n### Response: 5 degrees.\n<eos>\n"
        "### Instruction: <<question>>Thanks. And Rome?\n### Response: "
    ),
    "openfunctions-v1": (
        f"<bos>Be brief.\nUSER: <<question>> Boston and Köln? <<function>> [{V1_TOOL}]\n"
        "ASSISTANT: Let me see.\n"
        'get_weather(city="Boston"), get_weather(city="Köln", days=7)<eos>'
        f"USER: <<question>> {LINES.replace(chr(39), chr(34))}{GO_ON}\nASSISTANT: 5 degrees.<eos>"
        "USER: <<question>> Thanks. And Rome?\nASSISTANT: "
    ),
    "openfunctions-v0": (
        f"<bos>Be brief.\nUSER: <<question>> Boston and Köln? <<function>> [{V0_TOOL}]\n"
        "ASSISTANT: Let me see.\n"
        'get_weather(city="Boston"), get_weather(city="Köln", days=7)<eos>'
        f"USER: <<question>> {LINES.replace(chr(39), chr(34))}{GO_ON}\nASSISTANT: 5 degrees.<eos>"
        "USER: <<question>> Thanks. And Rome?\nASSISTANT: "
    ),
    "gorilla-7b": (
        f"<bos>{VICUNA}Be brief.\nUSER: Boston and Köln?\n Use this API documentation for "
        f"reference: {ASCII_TOOL}\nASSISTANT: Let me see.\n"
        "<<<api_call>>>: get_weather(city='Boston')\n"
        "<<<api_call>>>: get_weather(city='Köln', days=7)<eos>"
        f"USER: {LINES}{GO_ON}\nASSISTANT: 5 degrees.<eos>"
        "USER: Thanks. And Rome?\nASSISTANT:"
    ),
    "llama-pythonic": (
        f"<bos><|start_header_id|>system<|end_header_id|>\n\n{LLAMA_TOOLS}[{TOOL}]\n\nBe brief."
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBoston and Köln?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
        "Let me see.[get_weather(city='Boston'), get_weather(city='Köln', days=7)]<|eot_id|>"
        '<|start_header_id|>ipython<|end_header_id|>\n\n{"output": "{\\"temperature\\": 5}"}'
        '<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n{"error": "no such city"}'
        "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n5 degrees.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nThanks. And Rome?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "llama-4-pythonic": (
        "<bos><|header_start|>system<|header_end|>\n\nBe brief.\nHere is a list of functions in "
        "JSON format that you can invoke. Use exact format: [func_name1(param1=value1, "
        f"param2=value2), func_name2(...)]\n[{TOOL}]\n<|eot|>"
        "<|header_start|>user<|header_end|>\n\nBoston and Köln?<|eot|>"
        "<|header_start|>assistant<|header_end|>\n\n"
        'Let me see.[get_weather(city="Boston"), get_weather(city="Köln", days=7)]<|eot|>'
        '<|header_start|>ipython<|header_end|>\n\n"{\\"temperature\\": 5}"<|eot|>'
        '<|header_start|>ipython<|header_end|>\n\n{"error": "no such city"}<|eot|>'
        "<|header_start|>assistant<|header_end|>\n\n5 degrees.<|eot|>"
        "<|header_start|>user<|header_end|>\n\nThanks. And Rome?<|eot|>"
        "<|header_start|>assistant<|header_end|>\n\n"
    ),
    "lfm2": (
        "<bos><|im_start|>system\nBe brief.\nList of tools: <|tool_list_start|>"
        f"[{TOOL}]<|tool_list_end|><|im_end|>\n"
        "<|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\nLet me see."
        '<|tool_call_start|>[get_weather(city="Boston"), get_weather(city="Köln", days=7)]'
        "<|tool_call_end|><|im_end|>\n<|im_start|>tool\n"
        '<|tool_response_start|>{"temperature": 5}<|tool_response_end|><|im_end|>\n'
        "<|im_start|>tool\n"
        "<|tool_response_start|>Error: no such city<|tool_response_end|><|im_end|>\n"
        "<|im_start|>assistant\n5 degrees.<|im_end|>\n"
        "<|im_start|>user\nThanks. And Rome?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "lfm2.5": (
        f"<bos><|im_start|>system\nBe brief.\n\nList of tools: [{TOOL}]<|im_end|>\n"
        "<|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\nLet me see."
        '<|tool_call_start|>[get_weather(city="Boston"), get_weather(city="Köln", days=7)]'
        '<|tool_call_end|><|im_end|>\n<|im_start|>tool\n{"temperature": 5}<|im_end|>\n'
        "<|im_start|>tool\nError: no such city<|im_end|>\n"
        "<|im_start|>assistant\n5 degrees.<|im_end|>\n"
        "<|im_start|>user\nThanks. And Rome?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "olmo-3": (
        '<|im_start|>system\nBe brief.<functions>[{"type": "function", "function": '
        f"{TOOL}}}]</functions><|im_end|>\n"
        "<|im_start|>user\nBoston and Köln?<|im_end|>\n<|im_start|>assistant\nLet me see."
        '<function_calls>get_weather(city="Boston")\nget_weather(city="Köln", days=7)'
        '</function_calls><|im_end|>\n<|im_start|>environment\n{"temperature": 5}<|im_end|>\n'
        "<|im_start|>environment\nError: no such city<|im_end|>\n"
        "<|im_start|>assistant\n5 degrees.<|im_end|>\n"
        "<|im_start|>user\nThanks. And Rome?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "nexusraven-2": (
        f"<bos>{RAVEN_TOOLS}Be brief.\n\nUser Query: Boston and Köln?<human_end>\n\n"
        "Let me see.\nCall: get_weather(city='Boston'); get_weather(city='Köln', days=7)"
        f"<bot_end>\n\nUser Query: {LINES}{GO_ON}<human_end>\n\n5 degrees.<bot_end>\n\n"
        "User Query: Thanks. And Rome?<human_end>\n\n"
    ),
}


def rendered(name, messages, functions):
    prompt = FORMATS[name].render(conversation(messages, FUNCTIONS), functions)
    roles = {"bos": "<bos>", "eos": "<eos>"}
    return "".join(
        part if isinstance(part, str) else roles.get(part.token, part.token) for part in prompt
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_question_without_functions(name):
    assert rendered(name, [QUESTION], ()) == PLAIN[name]


@pytest.mark.parametrize("name", FORMATS)
def test_a_question_with_functions(name):
    assert rendered(name, [QUESTION], FUNCTIONS.written) == TOOLS[name]


@pytest.mark.parametrize("name", FORMATS)
def test_a_history_with_system_parallel_calls_results_error_and_second_question(name):
    messages = [SYSTEM, QUESTION, CALLS, *RESULTS, ANSWER, NEXT]
    assert rendered(name, messages, FUNCTIONS.written) == HISTORY[name]


@pytest.mark.parametrize("name", FORMATS)
def test_each_step_of_a_conversation_extends_the_prompt_before_it(name):
    messages = [SYSTEM, QUESTION, CALLS, *RESULTS, ANSWER, NEXT]
    asked = rendered(name, messages[:2], FUNCTIONS.written)
    told = rendered(name, messages[:5], FUNCTIONS.written)
    assert told.startswith(asked.rstrip())
    assert HISTORY[name].startswith(told.rstrip())


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    "messages",
    [
        [SYSTEM],
        [ANSWER],
        [ANSWER, QUESTION],
        [QUESTION, ANSWER],
        [QUESTION, ANSWER, ANSWER],
        [QUESTION, CALLS],
        [QUESTION, CALLS, NEXT],
        [QUESTION, CALLS, RESULTS[0], NEXT, RESULTS[1]],
        [QUESTION, AIMessage("")],
        [HumanMessage("")],
    ],
)
def test_every_order_of_messages_ends_where_the_answer_begins(name, messages):
    end = "".join(PLAIN[name].partition("Köln?")[2].splitlines(keepends=True)[-1:])
    assert rendered(name, messages, FUNCTIONS.written).endswith(end)


class TestOpenFunctionsV2:
    """Shapes that only the folding families have; v2 stands for them."""

    @pytest.mark.parametrize(
        ("messages", "end"),
        [
            pytest.param(
                [QUESTION, NEXT],
                "### Instruction: <<question>> Boston and Köln?\nThanks. And Rome?\n### Response: ",
                id="consecutive questions are one instruction",
            ),
            pytest.param(
                [HumanMessage("hi", name="eve")],
                "### Instruction: <<question>> eve: hi\n### Response: ",
                id="a name goes in front",
            ),
            pytest.param(
                [QUESTION, CALLS, *RESULTS, NEXT],
                f"### Instruction: <<question>>{LINES}<<question>>Thanks. And Rome?\n### Response: ",
                id="a question after results takes the place of the closing sentence",
            ),
            pytest.param(
                [QUESTION, ANSWER],
                "### Response: 5 degrees.\n<eos>\n### Response: ",
                id="after an answer the model goes on",
            ),
            pytest.param(
                [ANSWER, NEXT],
                "### Instruction: <<question>> \n### Response: 5 degrees.\n<eos>\n"
                "### Instruction: <<question>>Thanks. And Rome?\n### Response: ",
                id="an answer first answers an empty question",
            ),
        ],
    )
    def test_what_the_reference_does_not_know(self, messages, end):
        assert rendered("openfunctions-v2", messages, ()).endswith(end)

    def test_an_unreadable_call_and_its_result_are_data(self):
        invalid = {"name": None, "args": "<<function>>f(a=", "id": "1", "error": "cut off"}
        messages = [
            QUESTION,
            AIMessage("", invalid_tool_calls=[invalid]),
            ToolMessage("No closing bracket.", tool_call_id="1", status="error"),
        ]
        assert rendered("openfunctions-v2", messages, ()).endswith(
            "### Response: <\u200b<function>>f(a=\n<eos>\n"
            "### Instruction: <<question>>The calls returned:\n"
            '"\\u003c<function>>f(a=" -> error "No closing bracket."\n'
            f"{GO_ON}\n### Response: "
        )

    def test_another_system_text_replaces_the_references(self):
        prompt = OpenFunctionsV2(system="Call functions.").render([HumanTurn("Hi")], ())
        assert prompt == (
            BOS,
            "Call functions.\n### Instruction: <<question>> Hi\n### Response: ",
        )


def test_gorilla_7b_takes_one_document():
    two = [FunctionSchema("f", "", {}), FunctionSchema("g", "", {})]
    with pytest.raises(PromptError, match=r"one API, got 2 functions.*Bind the one"):
        FORMATS["gorilla-7b"].render([HumanTurn("Hi")], two)


def test_a_function_called_out_of_domain_is_not_offered_twice():
    own = FunctionSchema("out_of_domain", "Mine.", {"type": "object", "properties": {}})
    prompt = FORMATS["nexusraven-2"].render([HumanTurn("Hi")], [own])
    assert prompt_text(prompt).count("def out_of_domain") == 1


def test_nexusraven_reads_parameters_in_the_order_in_which_values_without_names_are_read():
    properties = {"unit": {"type": "string"}, "city": {"type": "string"}}
    parameters = {"properties": properties, "required": ["city"]}
    function, raven = FunctionSchema("f", "", parameters), FORMATS["nexusraven-2"]
    shown = prompt_text(raven.render([HumanTurn("Hi")], [function]))
    assert "def f(*, unit: str = None, city: str):" in shown
    (call,) = collect(parse("Call: f('C', 'Oslo')<bot_end>", raven.syntax, [function])).calls
    assert call == FunctionCall("f", {"unit": "C", "city": "Oslo"})


def test_nexusraven_reads_types_choices_and_defaults_behind_references_and_unions():
    units = {"C": {"enum": ["c", "f"], "type": "string"}, "D": {"$ref": "#/$defs/D"}}
    properties = {
        "unit": {"$ref": "#/$defs/C", "default": "c"},
        "days": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 7},
        "code": {"type": "string", "anyOf": [{"pattern": "a"}, {"pattern": "b"}]},
        "mode": {"oneOf": [{"const": "a<bot_end>"}, True, {"$ref": "#/$defs/D"}]},
        "end": {"type": "string", "default": "<bot_end>"},
    }
    function = FunctionSchema("f", "", {"properties": properties, "$defs": units})
    text = prompt_text(FORMATS["nexusraven-2"].render([HumanTurn("Hi")], [function]))
    assert (
        "def f(unit: str = 'c', days: int | None = 7, code: str = None, "
        "mode: Any = None, end: str = '<\u200bbot_end>'):"
    ) in text
    assert 'unit (str): One of "c", "f".' in text
    assert "days (int | None):\n" in text


def test_special_tokens_are_never_text():
    for name, prompt_format in FORMATS.items():
        prompt = prompt_format.render(
            conversation([SYSTEM, QUESTION, CALLS, *RESULTS, ANSWER, NEXT], FUNCTIONS),
            FUNCTIONS.written,
        )
        text = "".join(part for part in prompt if isinstance(part, str))
        assert "<|" not in text, name


def test_neighbouring_strings_are_one_run():
    assert make_prompt(["a", "", "b", EOS, "", "c", BOS]) == ("ab", EOS, "c", BOS)
    assert prompt_text((BOS, "a", EOS, Special("<|x|>"))) == "a<|eos|><|x|>"


def test_an_answer_without_anything_is_empty():
    for prompt_format in FORMATS.values():
        assert prompt_format.render_answer(AssistantTurn("")) == ""
    assert FailedCall("x").text == "x"

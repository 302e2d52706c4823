import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from jsonschema import Draft202012Validator
from tokenizers import Tokenizer

from langchain_gorilla import bundled
from langchain_gorilla.formats.base import (
    AssistantTurn,
    CallResult,
    HumanTurn,
    ResultsTurn,
    Special,
    SystemTurn,
    Turn,
)
from langchain_gorilla.formats.openfunctions import OpenFunctionsV2
from langchain_gorilla.functions import FunctionSchema
from langchain_gorilla.training import dataset, prompts
from langchain_gorilla.training.concepts import QuestionWriter, invent, written_concepts
from langchain_gorilla.training.conversations import Conversations
from langchain_gorilla.training.dialogues import REFUSAL
from langchain_gorilla.training.documents import draw_style, offer
from langchain_gorilla.training.evaluate import read_calls
from langchain_gorilla.training.families import family_concepts
from langchain_gorilla.training.kept_out import is_kept_out, plain
from langchain_gorilla.training.requests import Requests
from langchain_gorilla.training.templates import written
from langchain_gorilla.training.values import Values, data_text

SHARED = Path(__file__).parents[3] / "shared"
BUNDLED = Path(__file__).parents[2] / "benchmarks" / "bundled"
KINDS = sorted(Conversations(Requests(Values(Random(0)))).kinds)


@pytest.fixture(scope="module")
def conversations() -> list[prompts.Conversation]:
    return [one for family in dataset.shard(5, 0, 120) for one in family]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(bundled.path() / "tokenizer.json"))


def test_the_same_data_is_made_everywhere() -> None:
    assert dataset.fingerprint(1, 0) == "d2f602202a03af08"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("held_out", [False, True])
def test_every_kind_can_be_made(kind: str, held_out: bool) -> None:
    make = Conversations(Requests(Values(Random(3)), held_out=held_out)).make
    for _ in range(20):
        made = make(kind)
        assert made.kind == kind
        assert made.turns[-1].learned
        assert made.turns[0].question


def test_invented_functions_have_names_that_python_can_call() -> None:
    values = Values(Random(5))
    names = [name for _ in range(600) for name in invent(values, QuestionWriter()).names]
    assert not [one for one in names if not all(part.isidentifier() for part in one.split("."))]


def test_no_document_contradicts_the_labels_beside_it() -> None:
    values = Values(Random(5))
    asking = Requests(values)
    for _ in range(1500):
        function = offer(values, asking.concept(), draw_style(values.rng))
        asked = asking.ask.one(function)
        for slot in function.slots if asked is not None else ():
            text = str(slot.schema.get("description", ""))
            if slot.parameter.optional:
                assert "required" not in text
                assert "must be given" not in text
            value = asked.calls[0].arguments.get(slot.name) if asked else None
            if isinstance(value, str) and ". Either '" in text:
                assert f"'{value}'" in text


def test_hard_requests_draw_concepts_of_more_parameters() -> None:
    drawn = [
        sum(len(asking.concept().parameters) for _ in range(1000))
        for asking in (Requests(Values(Random(5)), hard=share) for share in (0.0, 1.0))
    ]
    assert drawn[1] > 1.2 * drawn[0]


def test_hard_requests_ask_more_often_for_functions_of_more_parameters() -> None:
    found = []
    for share in (0.0, 1.0):
        asking = Requests(Values(Random(5)), hard=share)
        style = draw_style(asking.rng)
        concepts = sorted(written_concepts()[:40], key=lambda one: len(one.parameters))
        asking.offered = [
            offer(asking.values, one, style) for one in (concepts[0], concepts[1], concepts[-1])
        ]
        made = [asking.asked("simple") for _ in range(200)]
        names = [one[0].calls[0].name for one in made if one]
        found.append(names.count(asking.offered[-1].name))
    assert found[1] > 1.3 * found[0]


def test_hard_requests_ask_questions_of_more_values() -> None:
    concept = next(one for one in written_concepts() if one.names[0] == "absolute_value")
    found = []
    for share in (0.0, 1.0):
        asking = Requests(Values(Random(5)), hard=share)
        function = offer(asking.values, concept, draw_style(asking.rng))
        made = [asking.ask.together(function) for _ in range(400)]
        found.append(sum(len(asked.calls) for asked in made if asked))
    assert found[1] > 1.1 * found[0]


def test_the_share_of_questions_written_for_several_calls_can_be_chosen() -> None:
    concept = next(one for one in written_concepts() if one.names[0] == "absolute_value")
    found = []
    for share in (0.0, 1.0):
        asking = Requests(Values(Random(5)), together=share)
        asking.offered = [offer(asking.values, concept, draw_style(asking.rng))]
        made = [asking.asked("parallel") for _ in range(200)]
        found.append(sum("drop the signs" in one[0].question for one in made if one))
    assert found[0] == 0
    assert found[1] > 10


def test_a_follow_up_changes_one_argument_and_says_its_values() -> None:
    values = Values(Random(5))
    asking, seen = Requests(values), 0
    for _ in range(600):
        function = offer(values, asking.concept(), draw_style(values.rng))
        asked = asking.ask.one(function)
        again = asking.ask.follow_up(function, asked.calls[0]) if asked else None
        if asked is None or again is None:
            continue
        seen += 1
        before = asked.calls[0].arguments
        for call in again.calls:
            changed = [name for name, value in call.arguments.items() if before[name] != value]
            assert len(changed) == 1
            assert call.arguments.keys() == before.keys()
            value = call.arguments[changed[0]]
            slot = next(one for one in function.slots if one.name == changed[0])
            if isinstance(value, str) and not slot.form and not slot.choices:
                assert value in again.question or slot.parameter.kind == "DATE"
    assert seen > 300


def test_a_respelled_text_differs_by_one_letter() -> None:
    values = Values(Random(5))
    for _ in range(200):
        respelled = values.respelled("Bad Aussee 4")
        assert respelled[0] == "B"
        assert respelled.endswith(" 4")
        assert abs(len(respelled) - len("Bad Aussee 4")) <= 1
    assert values.respelled("4") == "4"


def test_no_response_calls_the_same_twice(conversations: list[prompts.Conversation]) -> None:
    for conversation in conversations:
        for turn in conversation.turns:
            calls = turn.response.split("<<function>>")[1:]
            assert len(set(calls)) == len(calls)


def test_every_learned_call_can_be_read_and_names_an_offered_function(
    conversations: list[prompts.Conversation],
) -> None:
    for conversation in conversations:
        names = {function["name"]: function for function in conversation.functions}
        for turn in conversation.turns:
            calls = read_calls(turn.response)
            assert calls is not None
            for call in calls:
                properties = names[call.name]["parameters"]["properties"]
                assert set(call.arguments) <= set(properties)
                required = set(names[call.name]["parameters"].get("required", ()))
                assert required <= set(call.arguments)
            if calls:
                assert prompts.write_calls(calls) == turn.response


def test_the_prompt_is_the_one_that_the_format_renders(
    conversations: list[prompts.Conversation],
) -> None:
    for conversation in conversations:
        turns: list[Turn] = []
        if conversation.system:
            turns.append(SystemTurn(conversation.system))
        for turn in conversation.turns:
            if turn.question is None:
                results = [CallResult(r.call, r.content, r.is_error) for r in turn.results]
                turns.append(ResultsTurn(tuple(results)))
            else:
                turns.append(HumanTurn(turn.question))
            calls = read_calls(turn.response) or []
            turns.append(AssistantTurn("" if calls else turn.response, tuple(calls)))
        functions = [
            FunctionSchema(one["name"], one["description"], one["parameters"])
            for one in conversation.functions
        ]
        rendered = OpenFunctionsV2().render(turns[:-1], functions)
        text = "".join(
            ("</s>" if part.token == "eos" else "") if isinstance(part, Special) else part
            for part in rendered
        )
        assert text == prompts.prompt_before(conversation, len(conversation.turns) - 1)


def test_encoding_by_pieces_is_encoding_the_whole(
    conversations: list[prompts.Conversation], tokenizer: Tokenizer
) -> None:
    for conversation in conversations[:200]:
        text = "".join(piece.text for piece in prompts.pieces(conversation))
        encoded = dataset.encode(tokenizer, [conversation])
        assert tokenizer.encode(text, add_special_tokens=False).ids == encoded.ids.tolist()
        assert tokenizer.decode(encoded.ids.tolist(), skip_special_tokens=False) == text


def test_targets_are_the_responses_and_their_ends(
    conversations: list[prompts.Conversation], tokenizer: Tokenizer
) -> None:
    for conversation in conversations[:200]:
        encoded = dataset.encode(tokenizer, [conversation])
        learned = encoded.targets[encoded.weights >= 1].tolist()
        wanted = "".join(f"{turn.response}</s>" for turn in conversation.turns if turn.learned)
        assert tokenizer.decode(learned, skip_special_tokens=False) == wanted


def test_tokens_that_choose_weigh_more(tokenizer: Tokenizer) -> None:
    response = "<<function>>get.find(place='Porto', n=-12)<<function>>get.find(place='Rome', n=3)"
    turn = prompts.Turn("Maps.", (), response)
    encoded = dataset.encode(tokenizer, [prompts.Conversation("parallel", (), (turn,))])
    weighed: dict[float, str] = {1.0: "", 2.0: ""}
    for token, weight in zip(encoded.targets.tolist(), encoded.weights.tolist(), strict=True):
        if weight:
            weighed[weight] += tokenizer.decode([token], skip_special_tokens=False)
    assert weighed[2.0] == "<<function>>get.findP-<<function>>get.findRo3</s>"


def test_each_conversation_of_a_family_is_encoded_as_if_it_were_alone(
    tokenizer: Tokenizer,
) -> None:
    for family in dataset.shard(5, 0, 40):
        together = dataset.encode(tokenizer, family)
        for branch, conversation in enumerate(family, 1):
            alone = dataset.encode(tokenizer, [conversation])
            mine = (together.branches == 0) | (together.branches == branch)
            assert together.ids[mine].tolist() == alone.ids.tolist()
            assert together.positions[mine].tolist() == alone.positions.tolist()
            assert together.targets[mine].tolist() == alone.targets.tolist()
            assert together.weights[mine].tolist() == alone.weights.tolist()


def test_a_family_has_one_system_text_and_one_list_of_functions(tokenizer: Tokenizer) -> None:
    first, second = (family[0] for family in dataset.shard(5, 0, 2))
    with pytest.raises(ValueError, match="one system text"):
        dataset.encode(tokenizer, [first, second])


def test_the_last_conversations_of_a_family_that_is_too_long_are_left_out(
    tokenizer: Tokenizer,
) -> None:
    family = max(dataset.shard(5, 0, 40), key=len)
    whole = dataset.encode(tokenizer, family)
    part = dataset.encode(tokenizer, family, max_tokens=len(whole.ids) - 1)
    assert part.kinds == whole.kinds[: len(part.kinds)]
    assert 1 <= len(part.kinds) < len(whole.kinds)


def test_batches_hold_every_family_once(tokenizer: Tokenizer) -> None:
    encoded = [dataset.encode(tokenizer, one) for one in dataset.shard(5, 0, 60)]
    grouped = dataset.batches(encoded, 4096, Random(1), max_tokens=1500)
    fitting = [one for one in encoded if len(one.ids) <= 1500]
    assert sum(len(batch.kinds) for batch in grouped) == len(fitting)
    assert all(batch.ids.size <= 4096 or len(batch.kinds) == 1 for batch in grouped)
    assert sum(batch.weights.sum() for batch in grouped) == sum(o.weights.sum() for o in fitting)


WRITTEN = ("near_misses.txt", "questions_singly.txt", "questions_together.txt")


@pytest.mark.parametrize("file", WRITTEN)
def test_questions_are_written_for_functions_that_are_trained_on(file: str) -> None:
    trained = {one.names[0] for one in written_concepts() if not one.held_out}
    assert written(file).keys() <= trained
    assert len(written(file)) > 1000
    assert all(len(questions) >= 4 for questions in written(file).values())


def test_near_misses_are_whole_when_filled() -> None:
    values = Values(Random(0))
    for questions in written("near_misses.txt").values():
        assert not any("{" in values.fill(one) for one in questions)


@pytest.mark.parametrize("file", WRITTEN[1:])
def test_written_questions_give_every_call_what_it_needs(file: str) -> None:
    concepts = {one.names[0]: one for one in written_concepts() if not one.held_out}
    for name, questions in written(file).items():
        keys = {one.key for one in concepts[name].parameters}
        needed = {one.key for one in concepts[name].parameters if not one.optional}
        for text in questions:
            found = re.findall(r"\{(\w+)(?:\.(\d))?\}", text)
            assert len(set(found)) == len(found) == text.count("{")
            calls = sorted({number for _, number in found} - {""})
            assert calls == [str(one + 1) for one in range(len(calls))]
            assert (len(calls) > 1) == (file == "questions_together.txt")
            for number in calls or [""]:
                given = {key for key, place in found if place in ("", number)}
                assert needed <= given <= keys


def test_a_near_miss_is_refused_beside_its_function() -> None:
    made = Conversations(Requests(Values(Random(8))))
    for _ in range(30):
        conversation = made.near_miss(draw_style(made.rng))
        if conversation is not None:
            assert conversation.turns[-1].response == REFUSAL
            assert 1 <= len(conversation.functions) <= 2


def test_held_out_concepts_share_no_name_with_the_others() -> None:
    held_out = {name for one in written_concepts() if one.held_out for name in one.names}
    trained = {
        name
        for one in (*written_concepts(), *family_concepts())
        if not one.held_out
        for name in one.names
    }
    assert len(held_out) >= 40
    assert not held_out & trained


def test_there_are_many_concepts() -> None:
    assert sum(not one.held_out for one in (*written_concepts(), *family_concepts())) >= 600


@pytest.mark.parametrize(
    "question",
    [
        "What's the weather in Paris and Tokyo?",
        "hey, TELL ME A JOKE about cats",
        "What is the weather in Paris and in Tokyo?",
        "Please: what is the status of order A-1042?",
    ],
)
def test_prompts_of_demos_are_kept_out(question: str) -> None:
    assert is_kept_out(question)
    assert not is_kept_out("What's the weather in Rome?")


def berkeley(file: str) -> set[str]:
    return {
        message["content"]
        for line in (SHARED / "cases" / file).read_text("utf-8").splitlines()
        for messages in json.loads(line)["question"]
        for message in messages
        if message["role"] == "user"
    }


def apibench(hub: str) -> set[str]:
    file = SHARED / "apibench" / "questions" / f"questions_{hub}_0_shot.jsonl"
    return {json.loads(line)["text"] for line in file.read_text("utf-8").splitlines()}


def own(file: str) -> set[str]:
    found = json.loads((BUNDLED / file).read_text("utf-8"))
    prompts = found["prompts"] if isinstance(found, dict) else []
    turns = [turn for one in found if isinstance(one, dict) for turn in one.get("turns", ())]
    return {one["question"] for one in prompts} | {turn["human"] for turn in turns}


@pytest.fixture(scope="module")
def sources() -> tuple[set[tuple[str, ...]], set[str]]:
    """Ten-word runs, and longer pieces whole, of all that is written by hand for questions."""
    texts = [text for file in WRITTEN for found in written(file).values() for text in found]
    for one in (*written_concepts(), *family_concepts()):
        texts += (*one.questions, *one.descriptions)
    texts += data_text("phrases.txt").split("\n")
    pieces = {plain(piece) for text in texts for piece in _pieces(text)}
    runs = {gram for piece in pieces for gram in _grams(piece)}
    assert len(runs) > 3_000
    return runs, {piece for piece in pieces if len(piece.split()) > 6}


def _pieces(text: str) -> list[str]:
    """Cut at values and optional parts, which differ from question to question."""
    return re.split(r"\{[^}]*\}|[\[\]]", text)


@pytest.mark.parametrize(
    ("read", "name"),
    [
        *((berkeley, name) for name in ("bfcl_gold.jsonl", "bfcl_irrelevance.jsonl")),
        *((apibench, name) for name in ("huggingface", "tensorflowhub", "torchhub")),
        *((own, name) for name in ("prompts.json", "conversations.json")),
    ],
)
def test_no_prompt_that_measures_is_trained_on(
    conversations: list[prompts.Conversation],
    sources: tuple[set[tuple[str, ...]], set[str]],
    read: Callable[[str], set[str]],
    name: str,
) -> None:
    if read is not own and not SHARED.exists():
        pytest.skip("../shared is not beside the checkout")
    asked = {plain(text) for text in read(name)}
    assert len(asked) >= 20
    grams = {gram for text in asked for gram in _grams(text)}
    questions = {
        plain(turn.question) for one in conversations for turn in one.turns if turn.question
    }
    # Short questions ("What is 3 plus 4?") may be anybody's; ten words in a row may not.
    assert not {text for text in questions & asked if len(text.split()) > 6}
    made = [gram for text in questions for gram in _grams(text)]
    shared = sum(gram in grams for gram in made)
    sys.stdout.write(f"{name}: {shared} of {len(made)} ten-word runs are shared\n")
    assert shared <= len(made) * 0.001
    # What questions are made from, all of it: 610 conversations would miss a line of a file.
    runs, whole = sources
    assert not runs & grams
    assert not whole & asked


def test_the_expected_calls_of_the_hand_written_prompts_fit_their_tools() -> None:
    given = json.loads((BUNDLED / "prompts.json").read_text("utf-8"))
    tools = {tool["name"]: tool for tool in given["tools"]}
    assert len(given["prompts"]) == 40
    for prompt in given["prompts"]:
        for call in prompt["calls"]:
            assert call["name"] in prompt["tools"]
            Draft202012Validator(tools[call["name"]]["parameters"]).validate(call["arguments"])


def test_the_tools_of_the_hand_written_prompts_are_no_trained_ones() -> None:
    given = json.loads((BUNDLED / "prompts.json").read_text("utf-8"))
    trained = {name for one in (*written_concepts(), *family_concepts()) for name in one.names}
    assert not trained & {tool["name"] for tool in given["tools"]}


def _grams(text: str) -> list[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    return [tuple(words[place : place + 10]) for place in range(len(words) - 9)]

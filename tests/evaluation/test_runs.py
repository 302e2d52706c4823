import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from langchain_gorilla import ChatGorilla, ScriptedEngine, bundled
from langchain_gorilla.cli import app
from langchain_gorilla.engines.transformers import TransformersEngine
from langchain_gorilla.errors import (
    DeadEndError,
    MissingModelError,
    UnknownFormatError,
    UnsupportedOptionError,
)
from langchain_gorilla.evaluation import runner
from langchain_gorilla.evaluation.answers_file import ANSWERS_FILE, DifferentRunError
from langchain_gorilla.evaluation.bfcl_decoder import decode_calls
from langchain_gorilla.evaluation.bfcl_results import write_bfcl_results
from langchain_gorilla.evaluation.cases import CATEGORIES, Case, read_cases
from langchain_gorilla.evaluation.offers import catalogs, offering
from langchain_gorilla.evaluation.rows import UnreadableFileError
from langchain_gorilla.evaluation.runner import RunOptions, run_cases
from langchain_gorilla.evaluation.scoring import Answer, score_answer
from langchain_gorilla.evaluation.summary import abstention, summarize

OPTIONS = RunOptions(model="bundled")


def function(name: str) -> dict[str, Any]:
    schema = {"type": "string", "description": "A city."}
    unit = {"type": "string", "enum": ["C", "F"]}
    count = {"type": "integer"}
    properties = {"city": schema, "unit": unit, "days": count}
    parameters = {"type": "dict", "properties": properties, "required": ["city"]}
    return {"name": name, "description": f"Get {name}.", "parameters": parameters}


def case(number: int, category: str = "simple_python") -> Case:
    name = f"weather_{number}"
    irrelevant = category.endswith("irrelevance")
    return Case(
        f"{category}_{number}",
        category,
        ({"role": "user", "content": f"Weather number {number} in Rome?"},),
        (function(name),),
        () if "relevance" in category else ({name: {"city": ["Rome"], "unit": ["", "C"]}},),
        not irrelevant,
    )


def scripted(answers: Sequence[str]) -> ChatGorilla:
    return ChatGorilla(model="bundled", engine=ScriptedEngine(list(answers)))


def right(number: int) -> str:
    return f"<<function>>weather_{number}(city='Rome')"


def test_right_answers_are_all_right_and_the_result_files_decode(tmp_path: Path) -> None:
    cases = [case(0), case(1), case(2, "irrelevance")]
    model = scripted([right(0), right(1), "No function fits."])
    scores = list(run_cases(cases, model, OPTIONS, tmp_path))
    assert all(score.correct for score in scores)
    written = write_bfcl_results(tmp_path / "results", "org/model", scores)
    assert [path.relative_to(tmp_path).as_posix() for path in written] == [
        "results/org_model/non_live/BFCL_v4_simple_python_result.json",
        "results/org_model/non_live/BFCL_v4_irrelevance_result.json",
    ]
    first = json.loads(written[0].read_text(encoding="utf-8").splitlines()[0])
    assert first["id"] == "simple_python_0"
    assert decode_calls(first["result"]) == [{"weather_0": {"city": "Rome"}}]


def test_a_stopped_run_asks_only_what_is_left(tmp_path: Path) -> None:
    cases = [case(number) for number in range(4)]
    list(run_cases(cases[:2], scripted([right(0), right(1)]), OPTIONS, tmp_path))
    with (tmp_path / ANSWERS_FILE).open("a", encoding="utf-8") as file:
        file.write('{"question": "cut o')
    # Two answers are scripted; a third question would raise.
    scores = list(run_cases(cases, scripted([right(2), right(3)]), OPTIONS, tmp_path))
    assert [score.correct for score in scores] == [True] * 4
    assert [s.correct for s in run_cases(cases, scripted([]), OPTIONS, tmp_path)] == [True] * 4


def test_a_changed_question_is_asked_anew(tmp_path: Path) -> None:
    list(run_cases([case(0)], scripted(["Nothing."]), OPTIONS, tmp_path))
    changed = Case(**{**vars(case(0)), "messages": ({"role": "user", "content": "Rome now?"},)})
    (score,) = run_cases([changed], scripted([right(0)]), OPTIONS, tmp_path)
    assert score.correct


def test_a_run_with_other_options_is_not_mixed_in(tmp_path: Path) -> None:
    list(run_cases([case(0)], scripted([right(0)]), OPTIONS, tmp_path))
    with pytest.raises(DifferentRunError, match="other options: model was bundled, not other"):
        list(run_cases([case(0)], scripted([]), RunOptions(model="other"), tmp_path))


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("<<function>>wether(city='Rome')", {"unknown_tool"}),
        ("<<function>>weather_0(town='Rome')", {"unknown_parameter"}),
        ("<<function>>weather_0(city='Rome', days='three')", {"type"}),
        ("<<function>>weather_0(city='Rome', unit='K')", {"enum"}),
        ("<<function>>weather_0(city='Rome", {"unreadable"}),
        ("<<function>>wether_0(city='Rome", {"unreadable"}),
        ("<<function>>weather_0(town='Rome", {"unreadable"}),
        ("<<function>>weather_0(city='Rome', unit='Kel", {"unreadable"}),
        (right(0), set()),
        ("It is sunny.", set()),
    ],
)
def test_what_is_made_up_is_named(text: str, kinds: set[str], tmp_path: Path) -> None:
    (score,) = run_cases([case(0)], scripted([text]), OPTIONS, tmp_path)
    assert score.hallucinations == kinds


def asking(schema: dict[str, Any], **more: Any) -> Case:
    parameters = {"type": "dict", "properties": {"x": schema}, "required": [], **more}
    offered = {"name": "f", "description": "", "parameters": parameters}
    message = {"role": "user", "content": "?"}
    return Case("x", "simple_python", (message,), (offered,), ({"f": {"x": ["a"]}},), True)


HOSTILE = "^(([a-z])+.)+$"


@pytest.mark.parametrize(
    "asked",
    [
        asking({"type": "string", "pattern": HOSTILE}),
        asking({"type": "string", "format": "email", "enum": ["a" * 60 + "!"]}),
        asking({"type": "array", "items": {"type": "string", "pattern": HOSTILE}}),
        asking({"type": "dict", "patternProperties": {HOSTILE: {}}, "additionalProperties": False}),
        asking({"type": "string"}, patternProperties={HOSTILE: {}}, additionalProperties=False),
    ],
)
@pytest.mark.parametrize("refused", [True, False])
def test_no_pattern_of_a_schema_runs_on_what_a_model_wrote(asked: Case, refused: bool) -> None:
    text = "a" * 60 + "!"
    for value in (text, [text], {text: 1}):
        arguments = {"x": value, text: 1}
        answer = Answer("x", calls=({"f": arguments},))
        if refused:
            call = {"name": "f", "args": json.dumps(arguments)[:-1] + "]", "error": "no"}
            answer = Answer("x", refused=(call,))
        # A search for the pattern would not end in this century.
        assert "unknown_parameter" in score_answer(asked, answer).hallucinations


@pytest.mark.parametrize("schema", [{"$ref": "#/$defs/gone"}, {"$ref": "#/properties/x"}])
def test_a_schema_that_leads_nowhere_ends_no_run(schema: dict[str, Any]) -> None:
    scored = score_answer(asking(schema), Answer("x", calls=({"f": {"x": "a"}},)))
    assert scored.hallucinations == frozenset()


@pytest.mark.parametrize(
    ("schema", "bits"),
    [({"type": "float", "multipleOf": 0.5}, 2_000), ({"type": "string"}, 20_000)],
)
def test_a_number_that_no_schema_can_weigh_ends_no_run(schema: dict[str, Any], bits: int) -> None:
    scored = score_answer(asking(schema), Answer("x", calls=({"f": {"x": 1 << bits}},)))
    assert (scored.correct, scored.hallucinations) == (False, frozenset())


def test_a_complex_number_is_of_the_wrong_type() -> None:
    answer = Answer("x", calls=({"f": {"x": 5j}},))
    schema = {"type": "float", "minimum": 1}
    assert score_answer(asking(schema), answer).hallucinations == {"type"}


def test_a_tuple_is_no_made_up_type() -> None:
    asked = asking({"type": "tuple", "items": {"type": "integer"}})
    answer = Answer("x", calls=({"f": {"x": (1, 2)}},))
    assert score_answer(asked, answer).hallucinations == frozenset()


@pytest.mark.parametrize(
    ("category", "answer", "error_type"),
    [
        ("irrelevance", Answer("x"), None),
        ("irrelevance", Answer("x", calls=({"f": {}},)), "irrelevance_error:called"),
        ("live_relevance", Answer("x", calls=({"f": {}},)), None),
        ("live_relevance", Answer("x"), "relevance_error:not_called"),
        ("simple_python", Answer("x"), "simple_function_checker:wrong_count"),
        ("simple_python", Answer("x", refused=({"name": "f", "args": ""},)), "refused_call"),
        ("irrelevance", Answer("x", error="PromptTooLongError: …"), "no_answer"),
    ],
)
def test_an_answer_is_judged_by_what_its_category_asks(
    category: str, answer: Answer, error_type: str | None
) -> None:
    assert score_answer(case(0, category), answer).error_type == error_type


def test_a_model_that_answers_nothing_scores_nothing_but_abstains_fully() -> None:
    cases = [case(0), case(1), case(2, "irrelevance")]
    scores = [score_answer(asked, Answer(asked.id)) for asked in cases]
    figures = summarize(scores, OPTIONS)
    assert figures["categories"]["simple_python"]["accuracy"] == 0
    ids = ", ".join(asked.id for asked in cases)
    assert figures["problems"] == [f"empty answers, neither call nor text: {ids}"]
    assert abstention(scores)["recall"] == 1
    assert abstention(scores)["precision"] == pytest.approx(1 / 3)


def test_questions_without_an_answer_are_named_by_what_went_wrong() -> None:
    errors = ["PromptTooLongError: 9 tokens", "PromptTooLongError: 8 tokens", None]
    scores = [
        score_answer(case(number), Answer(case(number).id, text="No.", error=error))
        for number, error in enumerate(errors)
    ]
    assert summarize(scores, OPTIONS)["problems"] == [
        "2 without an answer, first simple_python_0: PromptTooLongError: 9 tokens"
    ]


def test_questions_that_bfcl_cannot_check_are_named() -> None:
    asked = asking({"type": "quaternion"})
    figures = summarize([score_answer(asked, Answer("x", calls=({"f": {"x": "a"}},)))], OPTIONS)
    assert figures["overall"]["error_types"] == {"uncheckable": 1}
    assert figures["problems"] == [
        "BFCL's checker has no rule for these, so they count as wrong: x"
    ]


def test_a_grammar_without_a_way_out_is_an_answer_that_failed(tmp_path: Path) -> None:
    def dead(prompt: str) -> str:
        raise DeadEndError("No token fits.")

    model = ChatGorilla(model="bundled", engine=ScriptedEngine(dead))
    scores = list(run_cases([case(0), case(1)], model, OPTIONS, tmp_path))
    assert [score.answer.error for score in scores] == ["DeadEndError: No token fits."] * 2


def test_arguments_of_java_questions_are_shown_as_source_text(tmp_path: Path) -> None:
    asked = Case(**{**vars(case(0)), "category": "simple_java"})
    model = scripted([right(0)])
    list(run_cases([asked], model, OPTIONS, tmp_path))
    engine = model.engine
    assert isinstance(engine, ScriptedEngine)
    assert "Java source text of type integer" in engine.prompts[0]


def test_a_catalog_has_its_size_and_the_cases_own_functions() -> None:
    cases = [case(number) for number in range(9)]
    catalog = catalogs(cases, 5)
    for asked in cases:
        names = [found["name"] for found in catalog(asked)]
        assert len(set(names)) == len(names) == 5
        assert names[0] == asked.functions[0]["name"]


def test_a_catalog_larger_than_all_functions_is_refused() -> None:
    with pytest.raises(UnsupportedOptionError, match="2 functions of different names"):
        catalogs([case(0), case(1)], 3)


def test_the_oracle_offers_what_the_answer_calls() -> None:
    asked = case(3)
    catalog = catalogs([case(number) for number in range(9)], 9)(asked)
    with offering("oracle") as offer:
        assert [found["name"] for found in offer(asked, catalog)] == ["weather_3"]


ASKED = {
    "mail": "Send a mail to Ada",
    "stock": "What does the share of Acme cost?",
    "route": "Which way is it from Rome to Bari?",
}


def found_cases() -> list[Case]:
    described = {"mail": "Send a mail.", "stock": "Price of a share.", "route": "Way from to."}
    return [
        Case(
            name,
            "simple_python",
            ({"role": "user", "content": question},),
            ({**function(name), "description": described[name]},),
            ({name: {"city": ["Rome"]}},),
            True,
        )
        for name, question in ASKED.items()
    ]


def test_bm25_offers_what_it_finds_in_the_catalog_of_the_case() -> None:
    cases = found_cases()
    catalog = catalogs(cases, 3)
    with offering("bm25", top_k=1) as offer:
        for asked in cases:
            assert [found["name"] for found in offer(asked, catalog(asked))] == [asked.id]


def test_an_offer_follows_the_catalog_from_case_to_case() -> None:
    first, second, _ = found_cases()
    with offering("bm25", top_k=3) as offer:
        assert [found["name"] for found in offer(first, first.functions)] == ["mail"]
        assert "mail" not in [found["name"] for found in offer(second, second.functions)]


def test_an_offer_follows_what_a_case_says_of_functions_of_the_same_names() -> None:
    def asked(**described: str) -> Case:
        functions = [{**function(name), "description": text} for name, text in described.items()]
        message = {"role": "user", "content": ASKED["mail"]}
        return replace(case(0), messages=(message,), functions=tuple(functions))

    first = asked(one="Send a mail.", other="Price of a share.")
    second = asked(one="Price of a share.", other="Send a mail.")
    with offering("bm25", top_k=1) as offer:
        offers = [offer(each, each.functions) for each in (first, second)]
    assert [[found["name"] for found in offered] for offered in offers] == [["one"], ["other"]]


@pytest.mark.parametrize("retriever", ["dense", "hybrid"])
def test_vectors_choose_what_is_offered(retriever: Any, encoder: Path) -> None:
    asked = found_cases()[1]
    catalog = catalogs(found_cases(), 3)(asked)
    with offering(retriever, top_k=2, embedder=encoder) as offer:
        assert len(offer(asked, catalog)) == 2


@pytest.mark.parametrize("retriever", ["dense", "hybrid"])
def test_a_retriever_by_vectors_says_that_it_needs_an_encoder(retriever: Any) -> None:
    with pytest.raises(UnsupportedOptionError, match="--embedder DIR"), offering(retriever):
        pass


def test_a_question_for_which_nothing_is_found_is_asked_without_tools(tmp_path: Path) -> None:
    lost = Case("lost", "irrelevance", ({"role": "user", "content": "?"},), (), (), False)
    options = RunOptions(model="bundled", retriever="bm25")
    model = scripted(["No function fits."])
    scores = list(run_cases([lost], model, options, tmp_path, all_cases=[*found_cases(), lost]))
    assert [score.correct for score in scores] == [True]


def test_a_function_that_no_index_takes_ends_no_run(tmp_path: Path) -> None:
    broken = function("broken")
    broken["parameters"]["required"] = "city"
    cases = [replace(case(0), functions=(broken,)), case(1)]
    options = RunOptions(model="bundled", retriever="bm25")
    scores = list(run_cases(cases, scripted([right(1)]), options, tmp_path))
    assert [score.error_type for score in scores] == ["no_answer", None]


def test_the_weights_are_loaded_before_the_first_question_and_only_for_one(tmp_path: Path) -> None:
    model = runner.chat_model(OPTIONS)
    assert isinstance(model, ChatGorilla)
    engine = model.engine
    assert isinstance(engine, TransformersEngine)
    engine.unload()
    list(run_cases([case(0)], scripted([right(0)]), OPTIONS, tmp_path / "answered"))
    list(run_cases([case(0)], model, OPTIONS, tmp_path / "answered"))
    assert not is_loaded(engine)
    hasty = replace(OPTIONS, timeout_s=1e-9)
    list(run_cases([case(0)], runner.chat_model(hasty), hasty, tmp_path / "new"))
    assert is_loaded(engine)


def is_loaded(engine: TransformersEngine) -> bool:
    return engine._loaded._weights is not None


def test_a_model_of_any_name_is_run_in_the_format_that_is_given(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(bundled.path(), folder)
    with pytest.raises(UnknownFormatError, match=r"Known formats: .* Here: --format NAME"):
        runner.chat_model(RunOptions(model=str(folder)))
    options = RunOptions(model=str(folder), format="openfunctions-v2", max_tokens=1)
    model = runner.chat_model(options)
    (score,) = run_cases([case(0)], model, options, tmp_path / "run")
    assert (score.answer.error, score.answer.output_tokens) == (None, 1)


def test_a_folder_that_does_not_exist_is_said_before_its_format() -> None:
    with pytest.raises(MissingModelError, match="'/nowhere/mine' does not exist"):
        runner.chat_model(RunOptions(model="/nowhere/mine"))


@pytest.mark.parametrize("constrained", [True, False])
def test_a_run_is_constrained_where_that_was_asked_for(constrained: bool) -> None:
    model = runner.chat_model(RunOptions(model="bundled", constrained=constrained))
    assert isinstance(model, ChatGorilla)
    assert model.constrained == constrained


def test_a_run_compares_as_many_functions_as_were_asked_for() -> None:
    model = runner.chat_model(RunOptions(model="bundled", compare_functions=3))
    assert isinstance(model, ChatGorilla)
    assert model.compare_functions == 3


def test_a_run_weighs_names_as_chat_gorilla_does_by_default() -> None:
    assert runner.lexical_weight_of("bundled", None, None) == 2
    assert runner.lexical_weight_of("bundled", "openfunctions-v1", None) == 0
    assert runner.lexical_weight_of("bundled", None, 0.5) == 0.5
    assert runner.lexical_weight_of("/some/folder", None, None) == 0
    with pytest.raises(UnsupportedOptionError, match="no mark"):
        runner.lexical_weight_of("bundled", "openfunctions-v1", 2.0)


def test_a_run_weighs_names_as_it_was_asked_to() -> None:
    model = runner.chat_model(RunOptions(model="bundled", lexical_weight=0.5))
    assert isinstance(model, ChatGorilla)
    assert model.lexical_weight == 0.5


# --- Reading cases ---


def bfcl_files(folder: Path, questions: list[str], answers: list[str]) -> Path:
    path = folder / "BFCL_v4_simple_python.json"
    path.write_text("\n".join(questions), encoding="utf-8")
    (folder / "possible_answer").mkdir()
    (folder / "possible_answer" / path.name).write_text("\n".join(answers), encoding="utf-8")
    return path


def question(number: int, **fields: Any) -> str:
    message = {"role": "user", "content": "Weather?"}
    row = {"id": f"simple_python_{number}", "question": [[message]], "function": [function("w")]}
    return json.dumps({**row, **fields})


def possible(number: int) -> str:
    return json.dumps(
        {"id": f"simple_python_{number}", "ground_truth": [{"w": {"city": ["Rome"]}}]}
    )


def test_bfcls_own_layout_is_read(tmp_path: Path) -> None:
    bfcl_files(tmp_path, [question(0), question(1)], [possible(0), possible(1)])
    cases, problems = read_cases([tmp_path])
    assert [found.id for found in cases] == ["simple_python_0", "simple_python_1"]
    assert problems == []


def test_each_bad_row_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = bfcl_files(
        tmp_path,
        [
            question(0),
            question(1, id=7),
            question(0),
            question(2, function=[{"name": "w"}]),
            question(3),
            question(4),
            question(5, id="multi_turn_base_5"),
            question(6, function=[]),
            question(7)[:-9],
        ],
        [possible(4), possible(0), possible(6), possible(99)],
    )
    cases, problems = read_cases([path])
    assert [found.id for found in cases] == ["simple_python_0", "simple_python_4"]
    said = [str(problem) for problem in problems]
    answers = f"possible_answer/{path.name}"
    for start, words in (
        (f"{path.name}, row 2: ", "id is of the wrong type"),
        (f"{path.name}, row 3: ", "stands in row 1 already"),
        (f"{path.name}, row 4: ", "no functions"),
        (f"{path.name}, row 5: ", "no possible answer"),
        (f"{path.name}, row 7: ", "multi_turn_base"),
        (f"{path.name}, row 8: ", "no functions, though"),
        (f"{path.name}, row 9: ", "cut off"),
        (f"{answers}, row 4: ", "not asked"),
        (f"{answers}: ", "another order"),
    ):
        assert any(line.startswith(start) and words in line for line in said), (start, said)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"category": ["simple_python"]}, "category is no text"),
        ({"question": [[{"role": "wizard", "content": "?"}]]}, "a role of system"),
        ({"question": [[{"role": 5, "content": "?"}]]}, "a role of system"),
        ({"question": [[{"role": "tool", "content": "?"}]]}, "a role of system"),
        ({"question": [[]]}, "a role of system"),
        ({"possible_answer": [{}]}, "no possible answer"),
        ({"possible_answer": [{"w": {"city": "Rome"}}]}, "no possible answer"),
        ({"possible_answer": [{"w": ["Rome"]}]}, "no possible answer"),
        (
            {"function": [{"name": "w", "parameters": {"properties": {"x": "text"}}}]},
            "whose properties are objects",
        ),
        (
            {"function": [{"name": "w", "parameters": {"properties": None}}]},
            "whose properties are objects",
        ),
    ],
)
@pytest.mark.parametrize("category", ["simple_python", "simple_java"])
def test_a_row_that_would_end_a_run_is_left_out(
    category: str, fields: dict[str, Any], words: str, tmp_path: Path
) -> None:
    answer = {"possible_answer": [{"w": {"city": ["Rome"]}}], "category": category}
    rows = [question(0, **answer), question(1, **{**answer, **fields})]
    (tmp_path / "x.jsonl").write_text("\n".join(rows), encoding="utf-8")
    cases, problems = read_cases([tmp_path / "x.jsonl"])
    assert [found.id for found in cases] == ["simple_python_0"]
    (problem,) = map(str, problems)
    assert problem.startswith("x.jsonl, row 2: ")
    assert words in problem


def test_an_array_parameter_whose_items_are_no_schema_is_shown() -> None:
    parameters = {"properties": {"x": {"type": "Array", "items": "type"}}}
    shown = runner.as_shown({"name": "f", "parameters": parameters}, "java")
    assert shown["parameters"]["properties"]["x"]["type"] == "string"


def test_of_one_id_in_two_files_both_places_are_named(tmp_path: Path) -> None:
    answer = {"possible_answer": [{"w": {"city": ["Rome"]}}]}
    for name, numbers in (("a.jsonl", (1, 0)), ("b.jsonl", (2, 1))):
        rows = [question(number, **answer) for number in numbers]
        (tmp_path / name).write_text("\n".join(rows), encoding="utf-8")
    cases, problems = read_cases([tmp_path])
    assert len(cases) == 3
    (problem,) = map(str, problems)
    assert problem == (
        f"b.jsonl, row 2: id 'simple_python_1' stands in {tmp_path / 'a.jsonl'}, row 1, already; "
        "left out"
    )


def test_that_there_are_no_answers_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("\n".join(map(question, range(3))), encoding="utf-8")
    cases, problems = read_cases([tmp_path])
    (problem,) = map(str, problems)
    assert (cases, problem[:36]) == ([], "x.jsonl: 3 questions without an answ")
    assert f"there is no {tmp_path / 'possible_answer' / 'x.jsonl'}" in problem


def test_the_acceptance_rows_are_all_read(shared: Path) -> None:
    files = [shared / "cases/bfcl_gold.jsonl", shared / "cases/bfcl_irrelevance.jsonl"]
    cases, problems = read_cases(files)
    assert (len(cases), problems) == (1250 + 580, [])


def test_right_answers_score_one_in_every_category(shared: Path) -> None:
    lines = (shared / "cases/bfcl_checker.jsonl").read_text(encoding="utf-8").splitlines()
    # Java's and JavaScript's right answers are source text: those rows are "rendered".
    right = {
        row["entry"]: (row["model_output"], row["expect"]["valid"])
        for row in map(json.loads, lines)
        if row["mutation"] in ("gold", "rendered")
    }
    cases, _ = read_cases([shared / "cases/bfcl_gold.jsonl"])
    scored = {
        found.id: score_answer(found, Answer(found.id, calls=tuple(right[found.id][0])))
        for found in cases
        if found.id in right
    }
    assert len(scored) > 1000
    assert {score.category for score in scored.values()} == {
        name for name in CATEGORIES if "relevance" not in name
    }
    # BFCL itself refuses five: an array's texts keep their quotes in Java, see java_values.
    refused = [id_ for id_, score in scored.items() if not score.correct]
    assert refused == [id_ for id_ in scored if not right[id_][1]]
    assert {scored[id_].category for id_ in refused} <= {"simple_java"}
    assert len(refused) == 5


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UnreadableFileError, match="nowhere"):
        read_cases([Path("nowhere.jsonl")])


# --- The command ---


@pytest.mark.parametrize("command", ["bfcl", "retrievers"])
def test_a_command_without_a_question_to_ask_says_why(command: str, tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text("{", encoding="utf-8")
    arguments = ["eval", command, "--model", "bundled", "--cases", str(tmp_path)]
    with pytest.raises(UnreadableFileError, match=r"no question.*cases\.jsonl, row 1: .*cut off"):
        CliRunner().invoke(
            app, [*arguments, "--out", str(tmp_path / "out")], catch_exceptions=False
        )


def test_the_command_writes_figures_that_compare_and_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    bfcl_files(tmp_path, [question(0), question(1)], [possible(0), possible(1)])
    files = []
    for name, answers in (("a", ["<<function>>w(city='Rome')", "No."]), ("b", ["No.", "No."])):
        monkeypatch.setattr(runner, "chat_model", lambda _, answers=answers: scripted(answers))
        files.append(str(tmp_path / f"{name}.json"))
        arguments = ["eval", "bfcl", "--model", "bundled", "--cases", str(tmp_path)]
        arguments += ["--out", str(tmp_path / name), "--json", files[-1]]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
    figures = json.loads(Path(files[0]).read_text(encoding="utf-8"))
    row = figures["categories"]["simple_python"]
    assert {"n", "accuracy", "ci95", "hallucination"} <= row.keys()
    assert (row["n"], row["accuracy"]) == (2, 0.5)
    assert figures["model"] == "bundled"
    assert figures["options"]["retriever"] == "none"
    compared = CliRunner().invoke(app, ["eval", "compare", *files], catch_exceptions=False)
    assert "-50.0 points" in compared.output
    report = ["eval", "report", *files, "--out", str(tmp_path / "report")]
    assert CliRunner().invoke(app, report, catch_exceptions=False).exit_code == 0
    assert (tmp_path / "report" / "report.html").exists()


@pytest.mark.parametrize("command", ["bfcl", "retrievers"])
def test_a_timeout_below_zero_is_refused_by_the_command(command: str) -> None:
    arguments = ["eval", command, "--model", "bundled", "--cases", "x", "--out", "x"]
    result = CliRunner().invoke(app, [*arguments, "--timeout", "-5"])
    assert (result.exit_code, "0.001" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("given", "idle"),
    [
        (["--embedder", "."], "--embedder does nothing with --retriever none"),
        (["--retriever", "oracle", "--top-k", "3"], "--top-k does nothing with --retriever oracle"),
    ],
)
def test_an_option_without_effect_is_said(
    given: list[str], idle: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "chat_model", lambda _: scripted(["<<function>>w(city='Rome')"]))
    bfcl_files(tmp_path, [question(0)], [possible(0)])
    arguments = ["eval", "bfcl", "--model", "bundled", "--cases", str(tmp_path)]
    arguments += ["--out", str(tmp_path / "out"), *given]
    assert idle in CliRunner().invoke(app, arguments, catch_exceptions=False).output


def test_ctrl_c_says_that_the_run_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    model = ChatGorilla(model="bundled", engine=ScriptedEngine(interrupted))
    monkeypatch.setattr(runner, "chat_model", lambda _: model)
    bfcl_files(tmp_path, [question(0)], [possible(0)])
    arguments = ["eval", "bfcl", "--model", "bundled", "--cases", str(tmp_path)]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out")])
    assert result.exit_code == 130
    assert "Stopped; the same command goes on." in result.output

import json
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from langchain_gorilla.evaluation import python_trees
from langchain_gorilla.evaluation.apibench import PaperMatcher, StrictMatcher
from langchain_gorilla.evaluation.apibench_answer import calls_in_source, field_as_the_paper_cuts_it
from langchain_gorilla.evaluation.apibench_data import (
    HUBS,
    Api,
    BenchmarkDataError,
    Hub,
    bundled_benchmark,
    read_benchmark,
)
from langchain_gorilla.evaluation.apibench_table import (
    NoResponsesError,
    as_json,
    explanations,
    judge_folder,
    labels,
)
from langchain_gorilla.evaluation.python_trees import (
    GrammarError,
    as_skipped_in_2023,
    grammar_of_2023,
    parse,
    python_parser,
)
from langchain_gorilla.evaluation.tree_sitter_library import runtime_of_2022

BART = Api("pipeline('summarization', model='facebook/bart-large')", "Summarization")
BART_CNN = Api("pipeline('summarization', model='facebook/bart-large-cnn')", "News")


def answer(call: str) -> str:
    return f"<<<domain>>>: x\n<<<api_call>>>: {call}\n<<<api_provider>>>: y"


needs_old_grammar = pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="tree-sitter-languages has no such wheel"
)
needs_old_runtime = pytest.mark.skipif(
    runtime_of_2022() is None, reason="needs a system's libtree-sitter up to 0.20.7"
)


@pytest.mark.parametrize(
    ("old", "differing"),
    [
        pytest.param("tables and runtime", 0, marks=[needs_old_grammar, needs_old_runtime]),
        pytest.param("tables", 3, marks=needs_old_grammar),
        ("nothing", 8),
    ],
)
def test_verdicts_are_the_papers_wherever_three_parsers_agree(
    shared: Path, monkeypatch: pytest.MonkeyPatch, old: str, differing: int
) -> None:
    # Prose, whose tree is error recovery, is where they do not: rows of 795 that may differ.
    if "runtime" not in old:
        monkeypatch.setattr(python_trees, "runtime_of_2022", lambda: None)
    if "tables" not in old:
        monkeypatch.setattr(python_trees, "grammar_of_2023", lambda: None)
    matchers = {hub: PaperMatcher(hub, bundled_benchmark(hub).apis) for hub in HUBS}
    lines = (shared / "cases/apibench_verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    wrong = Counter(
        row["parser_independent"]
        for row in rows
        if matchers[row["hub"]].verdict(row["text_as_recorded"], row["gold_domain"]).verdict
        != row["verdict"]
    )
    assert wrong[True] == 0
    assert wrong[False] <= differing


@needs_old_grammar
def test_the_grammar_of_the_papers_time_is_used_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(python_trees, "runtime_of_2022", lambda: None)
    grammar = grammar_of_2023()
    assert grammar is not None
    broken = r"load(\"a/b\") the the"
    by_default, by_name = parse(broken), parse(broken, grammar)
    assert (
        str(by_default.root)
        == str(by_name.root)
        != str(python_parser().parse(broken.encode()).root_node)
    )


def test_every_quirk_row_gets_both_verdicts(shared: Path) -> None:
    lines = (shared / "cases/eval_quirks.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        apis = [Api(api["api_call"], api["domain"]) for api in row["db"]]
        paper = PaperMatcher(row["hub"], apis).verdict(row["text"], row["gold_domain"])
        strict = StrictMatcher(apis).verdict(row["text"], row["gold_domain"])
        assert (paper.verdict, strict) == (row["verdict_compat"], row["verdict_strict"]), row["id"]


def test_the_first_row_that_is_contained_wins_on_paper_only() -> None:
    apis, text = [BART, BART_CNN], answer(BART_CNN.api_call)
    assert PaperMatcher("huggingface", apis).verdict(text, "News").verdict == "wrong"
    assert StrictMatcher(apis).verdict(text, "News") == "correct"


def test_any_duplicate_row_may_be_credited() -> None:
    apis = [Api("joblib.load('m')", "A"), Api("joblib.load('m')", "B")]
    verdict = PaperMatcher("huggingface", apis).verdict(answer("joblib.load('m')"), "B")
    assert (verdict.verdict, verdict.duplicate_right) == ("wrong", True)


@pytest.mark.parametrize("hub", HUBS)
def test_every_api_of_a_hub_is_right_for_its_own_domain_when_strict(hub: Hub) -> None:
    benchmark = bundled_benchmark(hub)
    matcher = StrictMatcher(benchmark.apis)
    readable = [
        api for api in benchmark.apis if any(call.node for call in calls_in_source(api.api_call))
    ]
    verdicts = Counter(matcher.verdict(answer(api.api_call), api.domain) for api in readable)
    assert verdicts == {"correct": len(readable)}
    assert len(readable) / len(benchmark.apis) > 0.92


@pytest.mark.parametrize(
    ("call", "domain"),
    [
        ("HIFIGAN.from_hparams(source='made/up')", "Audio Text-to-Speech"),
        ("HIFIGAN.from_hparams('made/up')", "Audio Text-to-Speech"),
        (
            "pipeline('sentiment-analysis', model='made/up')",
            "Natural Language Processing Text Classification",
        ),
        ("SentimentModel('made/up')", "Natural Language Processing Text Classification"),
        ("Parrot(model_tag='made/up')", "Natural Language Processing Text2Text Generation"),
    ],
)
def test_a_made_up_model_is_one_also_where_a_row_names_none(call: str, domain: str) -> None:
    matcher = StrictMatcher(bundled_benchmark("huggingface").apis)
    assert matcher.verdict(answer(call), domain) == "hallucination"


@pytest.mark.parametrize(
    ("model", "verdict"), [("a/ner", "correct"), ("a/tagger", "hallucination")]
)
def test_beside_a_row_without_a_model_a_model_of_its_domain_counts(
    model: str, verdict: str
) -> None:
    apis = [
        Api("pipeline('ner')", "Entities"),
        Api("AutoModel.from_pretrained('a/ner')", "Entities"),
        Api("AutoModel.from_pretrained('a/tagger')", "Tags"),
    ]
    text = answer(f"pipeline('ner', model='{model}')")
    assert StrictMatcher(apis).verdict(text, "Entities") == verdict


@pytest.mark.parametrize(
    ("row", "call", "verdict"),
    [
        ("load_from_hub(repo_id='a/b')", "load_from_hub('a/b', 'b.zip')", "correct"),
        ("E.from_hparams(source='a/b', savedir='x')", "E.from_hparams('a/b')", "correct"),
        ("E.from_hparams(source='a/b')", "E.from_hparams('a/c', savedir='x')", "hallucination"),
    ],
)
def test_a_file_or_folder_beside_the_model_identifies_nothing(
    row: str, call: str, verdict: str
) -> None:
    assert StrictMatcher([Api(row, "D")]).verdict(answer(call), "D") == verdict


def test_the_packed_data_is_that_of_gorillas_files(shared: Path) -> None:
    for hub in HUBS:
        assert read_benchmark(shared / "apibench", hub) == bundled_benchmark(hub)


def test_an_answer_without_the_field_has_none() -> None:
    assert field_as_the_paper_cuts_it("I do not know.") is None


@pytest.mark.parametrize(
    ("source", "read"),
    [
        (r"call \"f(\"a\")\" now", "call  ?f( ?a ?) ? now"),
        (r"import a\nb", "import a ?b"),
        (r"x \é y", "x  ?? y"),
        (r"f(\n  \"a\")", r"f( ?  \"a\")"),
        (r"""f('a\n', "a\"b")""", None),
        (r"""f('never ended \"a\"""", None),
        (r"""f() # a comment \"a\" """, None),
        (r'''"""one\"two\n""" ''', None),
        ("a + \\\n b", None),
        ("a\\", None),
    ],
)
def test_a_stray_backslash_takes_the_next_character(source: str, read: str | None) -> None:
    assert as_skipped_in_2023(source) == (source if read is None else read)


def test_what_a_backslash_takes_moves_no_offset(shared: Path) -> None:
    lines = (shared / "cases/apibench_verdicts.jsonl").read_text(encoding="utf-8").splitlines()
    for text in (json.loads(line)["text_as_recorded"] for line in lines):
        assert len(as_skipped_in_2023(text).encode()) == len(text.encode())


def test_a_call_in_escaped_quotes_is_found_on_paper() -> None:
    api = Api("hub.load('https://a/b')", "Text")
    text = r'Use the call \"hub.load(\"https://a/b\")\" to load it."'
    assert PaperMatcher("tensorflowhub", [api]).verdict(text, "Text").verdict == "correct"


@pytest.mark.parametrize(
    "unit", ["(", "f(", "'", "\\'", "{'", '"""', "\"\\'", "?\\", "f('a', ", "import a\\n", "x = "]
)
def test_hostile_answers_are_judged(unit: str) -> None:
    text = "api_call: " + unit * 5_000
    assert PaperMatcher("huggingface", [BART]).verdict(text, "News").verdict != "correct"
    assert StrictMatcher([BART]).verdict(text, "News") in ("no_call", "hallucination")


def test_the_table_names_bad_rows_and_judges_the_rest(tmp_path: Path) -> None:
    benchmark = bundled_benchmark("torchhub")
    api = benchmark.apis[0]
    good = {"question_id": 2, "text": "{'api_call': \"" + api.api_call + '"}'}
    lines = [
        json.dumps(good),
        json.dumps({"question_id": 1, "text": ""}),
        json.dumps(good),
        json.dumps({"text": "no id"}),
        json.dumps({"question_id": 10**6, "text": "x"}),
        json.dumps({"question_id": True, "text": "x"}),
        '{"question_id": 3, "te',
    ]
    name = "response_torchhub_Gorilla_FT_bm25.jsonl"
    (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    (file,) = judge_folder(tmp_path, benchmark)
    assert (file.n, file.setting) == (2, "FT bm25")
    said = [str(problem) for problem in file.problems]
    for row, words in (
        (7, "cut off"),
        (6, "question_id is of the wrong type"),
        (3, "stands in row 1 already"),
        (4, "no question_id"),
        (5, "none of 1 to"),
        (2, "another order"),
    ):
        assert any(f"{name}, row {row}: " in line and words in line for line in said), (row, said)
    asked = len(benchmark.question_domains)
    assert said[:2] == [
        f"{name}: empty answers in rows 2; judged as they are",
        f"{name}: {asked - 2} of {asked} questions have no answer; not counted",
    ]
    assert [problem.row for problem in file.problems] == [0, 0, 2, 3, 4, 5, 6, 7]
    figures = as_json([file])["files"][name]
    assert {"n", "accuracy", "hallucination"} <= figures.keys()


@pytest.fixture
def of_two_models(tmp_path: Path) -> Path:
    """Answers of two models in folders of their own, the files' names alike."""
    for model in ("mine", "theirs"):
        (tmp_path / model).mkdir()
        row = json.dumps({"question_id": 1, "text": ""})
        (tmp_path / model / "response_torchhub_Gorilla_FT_bm25.jsonl").write_text(
            row, encoding="utf-8"
        )
    return tmp_path


ALIKE = [f"{model}/response_torchhub_Gorilla_FT_bm25.jsonl" for model in ("mine", "theirs")]


def test_files_of_one_name_keep_their_figures_apart(of_two_models: Path) -> None:
    files = list(judge_folder(of_two_models, bundled_benchmark("torchhub")))
    assert list(as_json(files)["files"]) == ALIKE


def test_files_of_one_setting_are_told_apart_by_their_names(of_two_models: Path) -> None:
    other = "response_torchhub_Gorilla_RT_bm25.jsonl"
    shutil.copy(of_two_models / ALIKE[0], of_two_models / other)
    files = list(judge_folder(of_two_models, bundled_benchmark("torchhub")))
    assert labels(files) == [*ALIKE, "RT bm25"]
    assert f"Not both: {ALIKE[0]}, {ALIKE[1]}, RT bm25." in explanations("torchhub", files)[1]


def test_what_is_wrong_with_a_file_names_its_folder(of_two_models: Path) -> None:
    (of_two_models / ALIKE[1]).write_text('{"question_id"', encoding="utf-8")
    _, file = judge_folder(of_two_models, bundled_benchmark("torchhub"))
    assert {problem.file for problem in file.problems} == {ALIKE[1]}


def test_a_folder_without_answers_is_named() -> None:
    with pytest.raises(NoResponsesError, match="torchhub"):
        list(judge_folder(Path(__file__).parent, bundled_benchmark("torchhub")))
    with pytest.raises(NoResponsesError, match="nowhere is no folder"):
        list(judge_folder(Path("nowhere"), bundled_benchmark("torchhub")))


def test_a_library_that_is_no_grammar_is_refused(tmp_path: Path) -> None:
    (tmp_path / "no.so").write_bytes(b"no library")
    with pytest.raises(GrammarError, match="no compiled grammar"):
        python_parser(tmp_path / "no.so")


def test_missing_benchmark_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkDataError, match=r"torchhub_api\.jsonl"):
        read_benchmark(tmp_path, "torchhub")


GOOD_API = b'{"api_call": "f()", "domain": "x"}'
GOOD_QUESTION = b'{"api_data": {"domain": "x"}}'


@pytest.mark.parametrize(
    ("api", "question", "said"),
    [
        (b'{"domain": "x"}', GOOD_QUESTION, r"api\.jsonl, line 2, has no text under api_call"),
        (b'{"api_call": "f()", "domain": 1}', GOOD_QUESTION, r"line 2, has no text under domain"),
        (b"[]", GOOD_QUESTION, r"api\.jsonl, line 2, has no text under api_call"),
        (b'{"api_call": "\xe9"}', GOOD_QUESTION, r"api\.jsonl, line 2, is not UTF-8"),
        (b"{", GOOD_QUESTION, r"api\.jsonl, line 2, is not JSON"),
        (GOOD_API, b"{}", r"eval\.json, line 2, has no text under api_data\.domain"),
        (GOOD_API, b'{"api_data": 3}', r"eval\.json, line 2, has no text under api_data\.domain"),
    ],
)
def test_a_bad_row_of_the_benchmarks_own_files_is_named(
    api: bytes, question: bytes, said: str, tmp_path: Path
) -> None:
    for folder, name, good, row in (
        ("api", "torchhub_api.jsonl", GOOD_API, api),
        ("eval", "torchhub_eval.json", GOOD_QUESTION, question),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(good + b"\n" + row + b"\n")
    with pytest.raises(BenchmarkDataError, match=said):
        read_benchmark(tmp_path, "torchhub")


@pytest.mark.parametrize("empty", ["api/torchhub_api.jsonl", "eval/torchhub_eval.json"])
def test_an_empty_file_of_the_benchmark_is_named(empty: str, tmp_path: Path) -> None:
    for name, good in (
        ("api/torchhub_api.jsonl", GOOD_API),
        ("eval/torchhub_eval.json", GOOD_QUESTION),
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"\n" if name == empty else good)
    with pytest.raises(BenchmarkDataError, match=f"{empty} holds no rows"):
        read_benchmark(tmp_path, "torchhub")

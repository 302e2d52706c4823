import json
from pathlib import Path

import pytest

from langchain_gorilla.errors import InvalidFunctionError, SourceError
from langchain_gorilla.retrieval.apibench import read_apibench
from langchain_gorilla.retrieval.performance import performance_metadata
from langchain_gorilla.retrieval.retriever import ToolRetriever

SHARED = Path(__file__).parents[3] / "shared" / "apibench" / "api"


@pytest.mark.parametrize(
    ("performance", "facts"),
    [
        (
            {"accuracy": {"top_1": 74.58, "top_5": 91.63}, "Flops (G)": 54.52, "Params (M)": 32.45},
            {"top_1": 0.7458, "top_5": 0.9163, "flops": 54.52e9, "parameters": 32.45e6},
        ),
        ({"accuracy": {"Top-1 error": "30.22", "Top-5 error": "10.47"}}, {"top_1": 0.6978, "top_5": 0.8953}),
        ({"accuracy": {"x": {"Top-1 Acc.": "84.2", "Top-5 Acc.": "97.2"}}}, {"top_1": 0.842, "top_5": 0.972}),
        ({"resnext101": {"top-1": 20.69, "top-5": 5.47}}, {"top_1": 0.7931, "top_5": 0.9453}),
        ({"accuracy": "Top-1: 77.9%, Top-5: 93.7%"}, {"top_1": 0.779, "top_5": 0.937}),
        ({"accuracy": "Top-1 accuracy of 80.1% and Top-5 accuracy of 95.1%"}, {"top_1": 0.801, "top_5": 0.951}),
        ({"accuracy": "81.6% top-1 accuracy on AudioSet"}, {"top_1": 0.816}),
        ({"accuracy": "71.0% (top-1)"}, {"top_1": 0.71}),
        ({"accuracy": "~0.5% top1 improvement over ResNet50 v1"}, {}),
        ({"accuracy": "71.0%"}, {"accuracy": 0.71}),
        ({"accuracy": "71.0"}, {"accuracy": 0.71}),
        ({"accuracy": 0.9}, {"accuracy": 0.9}),
        ({"accuracy": 90.93}, {"accuracy": 0.9093}),
        ({"accuracy": "96% accuracy on the test set"}, {"accuracy": 0.96}),
        ({"accuracy": 1}, {"accuracy": 1.0}),
        ({"accuracy": True}, {}),
        ({"accuracy": float("nan")}, {}),
        ({"accuracy": 500}, {}),
        ({"accuracy": "500.00 +/- 0.00"}, {}),
        ({"accuracy": "Pearson correlation coefficient of 0.803"}, {}),
        ({"accuracy": "0.545 mAP"}, {}),
        ({"accuracy": "3.432 WER"}, {}),
        ({"accuracy": "70.8% to 71.7%"}, {}),
        ({"accuracy": "Not provided"}, {}),
        ({"accuracy": {"Loss": 1.2, "top_20": 78.4}}, {}),
        ({"params": 34.57, "flops": 65.71}, {"parameters": 34.57e6, "flops": 65.71e9}),
        ({"parameters": "25.6M"}, {"parameters": 25.6e6}),
        ({"params": 25_600_000}, {"parameters": 25.6e6}),
        (
            [
                {"dataset": "ImageNet", "accuracy": {"top1": 78.21, "parameters": "25.6M"}},
                {"dataset": "ImageNet", "accuracy": {"top1": 81.72, "parameters": "66M"}},
            ],
            {"top_1": 0.8172, "parameters": 66e6, "dataset": ("ImageNet",)},
        ),
        ({"dataset": [{"name": "NQ", "accuracy": 0.5}, "COCO", {"name": "unknown"}]}, {"accuracy": 0.5, "dataset": ("NQ", "COCO")}),
        ({"dataset": "N/A", "accuracy": None}, {}),
        (None, {}),
        ("fast", {}),
        ([], {}),
    ],
)  # fmt: skip
def test_what_is_certain_is_read_in_base_units(performance, facts):
    found = performance_metadata(performance)
    assert found.pop("dataset", None) == facts.pop("dataset", None)
    assert found == pytest.approx(facts)


def write(folder: Path, *rows) -> Path:
    file = folder / "test_api.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return file


def test_a_document_becomes_a_tool_with_metadata(tmp_path):
    row = {
        "domain": "Video", "framework": "PyTorch", "functionality": "3D ResNet", "api_name": "slow",
        "api_call": "load('slow')", "api_arguments": {"pretrained": "True"},
        "performance": {"accuracy": {"top_1": 74.58}}, "description": "Classifies video.",
    }  # fmt: skip
    catalog = read_apibench(write(tmp_path, row, row))
    assert list(catalog.names) == ["slow", "slow_2"]
    tool = catalog["slow"]
    assert (tool.namespace, tool.tags) == ("test", ("Video",))
    assert tool.metadata == {"top_1": 0.7458, "framework": "PyTorch"}
    assert tool.function.description == "3D ResNet. Classifies video. load('slow')"
    assert set(tool.function.properties) == {"pretrained"}


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("{", "line 1 is no JSON"),
        ("[]", "no object"),
        ("{}", "no api_name"),
        (r'{"api_name": "half\ud800"}', "line 1: The tool name"),
        (r'{"api_name": "a", "domain": "half\ud800"}', "line 1: The metadata 'tags'"),
    ],
)
def test_a_line_that_is_no_document_is_an_error(tmp_path, line, match):
    with pytest.raises(InvalidFunctionError, match=match):
        read_apibench(write(tmp_path, line))


@pytest.mark.parametrize("written", [None, b'{"api_name": "caf\xe9"}'])
def test_a_file_that_cannot_be_read_is_named(tmp_path, written):
    file = tmp_path / "test_api.jsonl"
    if written is not None:
        file.write_bytes(written)
    with pytest.raises(SourceError, match=r"test_api\.jsonl cannot be read .* as UTF-8 text"):
        read_apibench(file)


@pytest.mark.skipif(not SHARED.is_dir(), reason="no shared/apibench beside the checkout")
def test_the_benchmarks_own_documents_are_read_and_filtered():
    files = sorted(SHARED.glob("*.jsonl"))
    catalog = read_apibench(*files)
    assert len(catalog) == 1_726
    assert sum("top_1" in tool.metadata for tool in catalog) > 70
    assert all(0 <= tool.metadata.get("top_1", 0) <= 1 for tool in catalog)
    retriever = ToolRetriever(catalog=catalog, constraints=True, k=5)
    found = retriever.search("an image classifier with at least 84% top-1").hits
    assert found
    assert all(hit.metadata["top_1"] >= 0.84 for hit in found)
    nothing = retriever.search("a video classifier with more than 99.9% top-1")
    assert nothing.hits
    assert "these are the nearest" in nothing.notes[0]

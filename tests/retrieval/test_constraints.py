import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.retrieval.constraints import read_constraints
from langchain_gorilla.retrieval.points import Range
from langchain_gorilla.retrieval.retriever import ToolRetriever
from tests.retrieval.small_catalog import document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a classifier under 10M parameters", Range("parameters", lt=1e7)),
        ("at least 70% top-1", Range("top_1", gte=0.7)),
        ("at least 70 top-1 accuracy", Range("top_1", gte=0.7)),
        ("cheaper than $5", Range("price", lt=5.0)),
        ("before 2024", Range("year", lt=2024.0)),
        ("no more than 1.5 billion params", Range("parameters", lte=1.5e9)),
        ("with accuracy above 90%", Range("accuracy", gt=0.9)),
        ("answers in less than 200 ms", Range("latency_s", lt=0.2)),
        ("up to 300MB", Range("size_bytes", lte=3e8)),
        ("price <= 1,000", Range("price", lte=1000.0)),
        ("fewer than 5 GFLOPs", Range("flops", lt=5e9)),
        ("no larger than 10M parameters", Range("parameters", lte=1e7)),
        ("latency must not be under 2 s", Range("latency_s", gte=2.0)),
        ("it shouldn't cost more than $5", Range("price", lte=5.0)),
        ("inference time under 2 minutes", Range("latency_s", lt=120.0)),
        ("latency below 1 hour", Range("latency_s", lt=3600.0)),
        ("model size under 2 TB", Range("size_bytes", lt=2e12)),
        ("memory under 512 MiB", Range("size_bytes", lt=2.0**29)),
        ("parameters below 1e7", Range("parameters", lt=1e7)),
        ("fewer than 500 MFLOPs", Range("flops", lt=5e8)),
        ("high accuracy under 200 ms", Range("latency_s", lt=0.2)),
        ("maximum 10M trainable parameters", Range("parameters", lte=1e7)),
        ("less than or equal to 10M params", Range("parameters", lte=1e7)),
        ("at least 70% on top-1", Range("top_1", gte=0.7)),
        ("top-1>=70%", Range("top_1", gte=0.7)),
        ("top-1 accuracy: at\nleast 70%", Range("top_1", gte=0.7)),
        ("a model between 5M and 10M parameters", Range("parameters", gte=5e6, lte=1e7)),
        ("between 5 and 10 million parameters", Range("parameters", gte=5e6, lte=1e7)),
        ("between 500 and 1k parameters", Range("parameters", gte=500, lte=1e3)),
        ("between 10M and 5M parameters", Range("parameters", gte=5e6, lte=1e7)),
        ("between 100 and 200 ms", Range("latency_s", gte=0.1, lte=0.2)),
        ("latency between 100ms and 2s", Range("latency_s", gte=0.1, lte=2.0)),
        ("it costs between $5 and 10", Range("price", gte=5.0, lte=10.0)),
        ("a price between 5 and 10", Range("price", gte=5.0, lte=10.0)),
        ("an accuracy of between 70 and 80%", Range("accuracy", gte=0.7, lte=0.8)),
        ("published between 2019 and 2021", Range("year", gte=2019, lte=2021)),
        ("under 10M parameter models", Range("parameters", lt=1e7)),
        ("under 5 cost and fast", Range("price", lt=5.0)),
        ("under 5 price", Range("price", lt=5.0)),
        ("under $5 price points", Range("price", lt=5.0)),
    ],
)
def test_a_bound_in_words_is_a_range(text, expected):
    (found,) = read_constraints(text)
    assert found.bounds.field == expected.field
    for side in ("gte", "gt", "lte", "lt"):
        assert getattr(found.bounds, side) == pytest.approx(getattr(expected, side))


@pytest.mark.parametrize(
    "text",
    [
        "more than 3 cities",
        "the weather under the bridge",
        "top 10 songs",
        "over 5",
        "before noon",
        "a recipe in under 30 minutes",
        "boil it for 10 min 30 s",
        "a case for the phone Pro Max 256 GB",
        "I don't want models with more than 10M parameters",
        "at most 30% top-1 error",
        "at most 1% top-1 accuracy drop",
        "high accuracy under 5 minutes",
        "parameters under 10.000.000",
        "a price below 1,5",
        "size under 512Mbit",
        f"size under {'9' * 400} GB",
        "a report with more than 3 cost centers",
        "at least 3 price points",
        "up to 4 memory cards",
        "more than 2 file size limits",
        "at least 2 parameter sets",
        "contracts over 2 year",
        "people over 18 year-old",
        "between 5 and 10 cities",
        "between 3 and 5 price points",
        "the difference between 5 dollars and 10 dollars",
        "not between 5M and 10M parameters",
        "between 5 GB and 10 ms",
        "between noon and 10M parameters",
    ],
)
def test_a_number_that_bounds_nothing_known_is_no_constraint(text):
    assert read_constraints(text) == ()


def test_only_fields_that_the_catalog_has_count():
    text = "under 10M parameters and cheaper than $5"
    assert [found.bounds.field for found in read_constraints(text)] == ["parameters", "price"]
    assert [found.bounds.field for found in read_constraints(text, {"price"})] == ["price"]


@pytest.fixture
def models():
    catalog = ToolCatalog()
    for name, parameters in (("resnet18", 11_700_000), ("mobilenet", 3_400_000)):
        described = document(name, "Classify a picture.")
        catalog.add(described, metadata={"parameters": parameters})
    return catalog


def test_a_retriever_filters_by_what_the_request_states(new_index, models):
    index = new_index()
    index.sync(models)
    for retriever in (
        ToolRetriever(index=index, catalog=models, constraints=True),
        ToolRetriever(catalog=models, constraints=True),
    ):
        found = retriever.search("classify a picture with under 10M parameters")
        assert [hit.name for hit in found.hits] == ["mobilenet"]


async def test_where_nothing_is_within_the_bounds_the_nearest_are_offered(new_index, models):
    index = new_index()
    index.sync(models)
    retriever = ToolRetriever(index=index, constraints=True)
    query = "classify a picture with under 1M parameters"
    for found in (retriever.search(query), await retriever.asearch(query)):
        assert len(found.hits) == 2
        assert found.notes == (
            "No tool satisfies 'under 1M parameters'; these are the nearest without it.",
        )

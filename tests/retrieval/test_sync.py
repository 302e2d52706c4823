import pytest

from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.errors import (
    EmbeddingError,
    IndexMismatchError,
    IndexUnavailableError,
    InvalidFunctionError,
)
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.document import point_id
from langchain_gorilla.retrieval.sync import plan_sync
from tests.retrieval.small_catalog import DOCUMENTS, HashedWords, document


def names(result) -> list[str]:
    return [hit.name for hit in result.hits]


def test_a_plan_tells_new_changed_gone_and_unchanged_apart():
    old = ToolCatalog(DOCUMENTS[:3])
    new = ToolCatalog([DOCUMENTS[0], {**DOCUMENTS[1], "description": "Other"}, DOCUMENTS[3]])
    plan = plan_sync(new, [point_id(tool) for tool in old])
    assert [tool.name for tool in plan.new.values()] == ["sort"]
    assert [tool.name for tool in plan.changed.values()] == ["send_mail"]
    assert set(plan.delete) == {point_id(old["send_mail"]), point_id(old["github.create_issue"])}
    assert plan.unchanged == 1


def test_a_plan_for_what_is_stored_is_empty(catalog):
    assert plan_sync(catalog, [point_id(tool) for tool in catalog]).is_empty


def test_only_what_changed_is_embedded(new_index, catalog, embeddings):
    index = new_index(embeddings=embeddings)
    assert index.sync(catalog).embedded == len(DOCUMENTS)
    assert index.sync(catalog).embedded == 0
    catalog.add({**DOCUMENTS[0], "description": "Measure snow."}, replace=True)
    embeddings.documents.clear()
    report = index.sync(catalog)
    assert (report.changed, report.embedded, report.unchanged) == (1, 1, len(DOCUMENTS) - 1)
    assert "Measure snow" in embeddings.documents[0]


def test_new_metadata_costs_no_embedding(new_index, catalog, embeddings):
    index = new_index(embeddings=embeddings)
    index.sync(catalog)
    catalog.add(DOCUMENTS[0], metadata={"price": 3}, replace=True)
    report = index.sync(catalog)
    assert (report.changed, report.embedded) == (1, 0)
    assert index.search("forecast rain").hits[0].metadata == {"price": 3}
    assert len(index) == len(DOCUMENTS)


def test_the_next_search_reads_the_new_documentation(new_index, catalog, embeddings):
    index = new_index(embeddings=embeddings)
    index.sync(catalog)
    assert names(index.search("teleport a gorilla"))[0] != "sort"
    catalog.add(document("sort", "Teleport a gorilla."), replace=True)
    index.sync(catalog)
    hit = index.search("teleport a gorilla").hits[0]
    assert (hit.name, hit.document["description"]) == ("sort", "Teleport a gorilla.")


def test_what_is_gone_is_found_no_more(new_index, catalog):
    index = new_index()
    index.sync(catalog)
    catalog.remove("get_weather")
    assert index.sync(catalog).deleted == 1
    assert "get_weather" not in names(index.search("get_weather forecast rain"))
    assert index.sync([]).deleted == len(DOCUMENTS) - 1
    assert len(index) == 0


def test_an_index_is_there_after_a_restart(tmp_path, catalog, embeddings):
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        index.sync(catalog)
    with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
        assert names(index.search("forecast rain"))[0] == "get_weather"
        assert index.sync(catalog).unchanged == len(DOCUMENTS)


def test_another_embedder_builds_beside_and_switches(tmp_path, catalog):
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        index.sync(catalog)
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords(32)) as index:
        report = index.sync(catalog)
        assert report.rebuilt
        assert report.embedded == len(DOCUMENTS)
        assert names(index.search("forecast rain"))[0] == "get_weather"
    assert len(list(tmp_path.glob("index-*"))) == 1


@pytest.mark.parametrize("told_by", ["deployment", "underlying_embeddings"])
def test_embedders_that_only_a_deployment_or_a_cache_tells_apart_do_not_share_vectors(
    tmp_path, catalog, told_by
):
    for model, rebuilt in (("a", False), ("b", True)):
        embeddings = HashedWords()
        told = model if told_by == "deployment" else HashedWords(model=model)
        setattr(embeddings, told_by, told)
        with ToolIndex.in_folder(tmp_path, embeddings=embeddings) as index:
            assert index.sync(catalog).rebuilt is rebuilt


def test_a_rebuild_that_fails_leaves_the_old_generation_in_use(tmp_path, catalog):
    class Failing(HashedWords):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise ConnectionError("down")

    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        index.sync(catalog)
        index.dense = None
    with (
        ToolIndex.in_folder(tmp_path, embeddings=Failing(32)) as index,
        pytest.raises(Exception, match="down"),
    ):
        index.sync(catalog)
    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        assert names(index.search("forecast rain"))[0] == "get_weather"


def test_a_folder_is_free_while_the_error_of_a_sync_is_held(tmp_path, catalog):
    class Failing(HashedWords):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise ConnectionError("down")

    with ToolIndex.in_folder(tmp_path, embeddings=HashedWords()) as index:
        index.sync(catalog)
    catalog.add(document("water_plants", "Water the plants."))
    with ToolIndex.in_folder(
        tmp_path, embeddings=Failing(), embedder_id="HashedWords:words"
    ) as index:
        with pytest.raises(EmbeddingError) as held:
            index.sync(catalog)
        assert names(index.search("forecast rain"))[0] == "get_weather"
        assert "down" in str(held.value)


def test_weights_follow_a_catalog_that_grows_without_new_embeddings(new_index, embeddings):
    index = new_index(embeddings=embeddings)
    index.sync(ToolCatalog(DOCUMENTS[:2]))
    long = [document(f"tool_{n}", "word " * 300) for n in range(8)]
    report = index.sync(ToolCatalog([*DOCUMENTS[:2], *long]))
    assert (report.reweighted, report.embedded) == (2, 8)
    assert index.sync(ToolCatalog([*DOCUMENTS[:2], *long])).reweighted == 0


def test_progress_is_told(new_index, catalog):
    seen: list[tuple[int, int]] = []
    new_index().sync(catalog, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (len(DOCUMENTS), len(DOCUMENTS))


def test_two_objects_on_one_folder_are_an_error(tmp_path):
    with (
        ToolIndex.in_folder(tmp_path),
        pytest.raises(IndexUnavailableError, match="open in this process"),
    ):
        ToolIndex.in_folder(tmp_path)


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(IndexMismatchError, match=r"thesis\.tex"):
        ToolIndex.in_folder(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(IndexUnavailableError, match="Pass a folder"):
        ToolIndex.in_folder(tmp_path / "file" / "index")


async def test_async_sync_does_the_same(new_index, catalog):
    index = new_index()
    assert (await index.async_sync(catalog)).added == len(DOCUMENTS)


def test_tools_of_no_catalog_are_an_error_that_names_it(new_index):
    with pytest.raises(InvalidFunctionError, match=r"sync\(ToolCatalog\(tools\)\)"):
        new_index().sync(DOCUMENTS)

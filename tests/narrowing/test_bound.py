from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.narrowing.bound import BoundTools
from langchain_gorilla.narrowing.offering import search
from langchain_gorilla.retrieval.points import Where
from langchain_gorilla.retrieval.retriever import ToolRetriever


def test_names_that_the_retriever_leaves_out_are_not_found_among_the_bound_tools():
    tools = [{"name": name, "description": "Sort the lines."} for name in "abcd"]
    retriever = ToolRetriever(catalog=ToolCatalog(tools), where=Where(names=("a", "b")))
    found = search(BoundTools(tools[:3], retriever), "Sort the lines").hits
    assert {hit.name for hit in found} == {"a", "b"}


def test_tools_that_a_catalog_gets_later_take_no_place_among_the_found_ones():
    tools = [{"name": name, "description": "Sort the lines."} for name in "abcd"]
    catalog = ToolCatalog(tools[:2])
    bound = BoundTools(tools[:2], ToolRetriever(catalog=catalog, k=2))
    catalog.add_all(tools[2:])
    assert {hit.name for hit in search(bound, "Sort the lines").hits} == {"a", "b"}

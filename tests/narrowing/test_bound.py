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

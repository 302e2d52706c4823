from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.narrowing.catalogued import CataloguedTools


def test_a_tool_that_another_thread_removes_meanwhile_is_left_out():
    box = CataloguedTools(ToolCatalog([{"name": "a"}, {"name": "b"}]), None)
    box.catalog.remove("a")
    assert [function.name for function in box.functions(["a", "b"])] == ["b"]

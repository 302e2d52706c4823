"""A catalog of tools in an embedded Qdrant index: the few that matter are offered to the model.

The index is a folder; it needs no server, no embedder and no download, and follows the
documentation: change a tool's text, sync, and the next search reads the new one.
python examples/08_tool_catalog.py
"""

import tempfile

from langchain_gorilla import ChatGorilla, create_tool_agent
from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.retriever import ToolRetriever


def get_weather(city: str) -> str:
    """Get the current weather for a city."""
    return {"Oslo": "4 C and snow", "Cairo": "31 C and sunny"}.get(city, "no forecast")


def get_order_status(order_id: str) -> str:
    """Get the status of an order."""
    return "shipped on Monday"


def sort_lines(file: str) -> str:
    """Sort the lines of a file."""
    return "sorted"


def main() -> None:
    catalog = ToolCatalog([get_weather, get_order_status, sort_lines])
    question = "What is the weather in Oslo and in Cairo?"
    with tempfile.TemporaryDirectory() as folder, ToolIndex.in_folder(folder) as index:
        print("sync:", index.sync(catalog))
        print("again:", index.sync(catalog))
        found = ToolRetriever(index=index, catalog=catalog, k=1).search(question).hits
        print("found:", [(hit.name, round(hit.score, 2)) for hit in found])

        tools = [catalog.executable(hit.name) for hit in found]
        agent = create_tool_agent(ChatGorilla(model="bundled", max_tokens=200), tools)
        print("answer:", agent.invoke({"messages": [("human", question)]})["messages"][-1].text)

        changed = {"name": "sort_lines", "description": "Water the plants in the garden."}
        catalog.add(changed, replace=True)
        print("after a change:", index.sync(catalog))
        found = index.search("Please water the plants.", k=1).hits
        print("found:", [hit.name for hit in found])


if __name__ == "__main__":
    main()

"""A thousand tools, of which each question is offered a few; and the documentation changes.

Change a tool, sync, and the very next call is written by its new documentation, by the same agent
and model. Where nothing fits, no tool is offered. python examples/10_narrowing.py
"""

import tempfile
from typing import Any

from langchain_core.tools import StructuredTool

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


def by_customer(customer_name: str) -> str:
    """Get the status of a customer's order."""
    return "waiting for payment"


def many_tools() -> list[dict[str, Any]]:
    """Return a thousand tools that nobody will ask for."""
    verbs = ("archive", "compress", "rename", "share", "print", "translate", "label", "merge")
    things = ("album", "branch", "contract", "folder", "playlist", "recipe", "sensor")
    return [
        {"name": f"{verb}_{thing}_{n}", "description": f"{verb} {thing} number {n}.".capitalize()}
        for verb in verbs
        for thing in things
        for n in range(18)
    ]


def main() -> None:
    catalog = ToolCatalog([get_weather, get_order_status, *many_tools()])
    with tempfile.TemporaryDirectory() as folder, ToolIndex.in_folder(folder) as index:
        index.sync(catalog)
        retriever = ToolRetriever(index=index, catalog=catalog, k=1)

        model = ChatGorilla(model="bundled", max_tokens=100, tool_retriever=retriever)
        agent = create_tool_agent(model, catalog)
        print(len(catalog), "tools are in the catalog")

        def ask(question: str) -> None:
            print(f"\n> {question}")
            messages = agent.invoke({"messages": [("human", question)]})["messages"]
            offered = messages[1].response_metadata["tools_offered"]
            print("offered:", [(tool["name"], tool["score"]) for tool in offered])
            for message in messages:
                for call in getattr(message, "tool_calls", ()):
                    print(f"call:    {call['name']}({call['args']})")
            print("answer: ", messages[-1].text)

        ask("What is the weather in Oslo and in Cairo?")
        ask("What is the status of order A-1042?")
        ask("Please water the plants.")
        ask("What is the order status of Ann Miller?")

        # The service changes: an order is asked for by its customer's name from now on.
        changed = StructuredTool.from_function(by_customer, name="get_order_status")
        catalog.add(changed, replace=True)
        print("\nchanged:", index.sync(catalog))
        ask("What is the order status of Ann Miller?")


if __name__ == "__main__":
    main()

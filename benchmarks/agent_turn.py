"""One agent turn on the bundled model with 5, 1,000 and 10,000 tools in the catalog.

    python benchmarks/agent_turn.py --json FILE [--repeats 25] [--tools ../shared/retrieval]

A turn is a question, the search, the model's call, the tool, the model's answer. Every catalog
holds the tools of the smaller ones, and each turn is offered the one tool that fits best, which is
the same at every size (``same_offers``): what is compared is what a catalog costs, not what other
tools make of the model's answer. ``--k`` offers more. No question is asked twice, so that no
answer is read from the engine's cache; sizes take turns in random order.

``ratio_10000_vs_5`` is the worse of the two doors, each the median of turns at 10,000 tools by
that at 5. ``bind_ms`` is what ``bind_tools`` costs, which ``create_agent`` calls in every step.
"""

import argparse
import itertools
import json
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from langchain_gorilla import ChatGorilla
from langchain_gorilla.catalog import CatalogTool, ToolCatalog
from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.evaluation.outputs import check_outputs, write_json
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.functions import FunctionSchema, function_schema
from langchain_gorilla.middleware import ToolNarrowing
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.retriever import ToolRetriever

SIZES = (5, 1_000, 10_000)
QUESTION = "What is the status of order A-{}?"


def get_order_status(order_id: str) -> str:
    """Get the status of an order.

    Args:
        order_id: Number of the order.
    """
    return "shipped on Monday"


def functions(folder: Path) -> Iterator[FunctionSchema]:
    """Yield real tools, as far as there are any, and then invented ones, without end."""
    for catalog in sorted(folder.glob("*/catalog.jsonl")):
        with catalog.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    yield function_schema(json.loads(line)["tool"])
                except InvalidFunctionError:
                    continue
    verbs, things = ("list", "rename", "archive", "share"), ("album", "branch", "sensor", "ticket")
    services = map("".join, itertools.product("bdfgklmn", "aeiou", "prstvz", "aeiou", "xyz"))
    for service, (verb, thing) in zip(
        services, itertools.cycle(itertools.product(verbs, things)), strict=False
    ):
        yield FunctionSchema(
            f"{service}_{verb}_{thing}",
            f"Of the service {service}: {verb} the {thing} of an account.",
            {"type": "object", "properties": {f"{thing}_id": {"type": "string"}}},
        )


def largest_catalog(folder: Path) -> ToolCatalog:
    """Return 10,000 tools, of which one runs."""
    catalog = ToolCatalog([get_order_status])
    for function in functions(folder):
        if function.name not in catalog:
            catalog.add(function)
        if len(catalog) == SIZES[-1]:
            break
    return catalog


def nested_catalogs(everything: ToolCatalog, k: int) -> dict[int, ToolCatalog]:
    """Return a catalog of each size, the smallest with what a search of the largest finds."""
    found = ToolRetriever(catalog=everything, k=k).search(QUESTION.format(1000)).hits
    first = [everything[hit.name] for hit in found]
    names = {tool.name for tool in first}
    rest = [tool for tool in everything if tool.name not in names]
    ordered: list[CatalogTool] = [*first, *rest]
    return {size: ToolCatalog(ordered[:size]) for size in SIZES}


def in_the_model(catalog: ToolCatalog, retriever: ToolRetriever) -> Any:
    """Build a graph of one's own around a model that all tools are bound to."""
    model = ChatGorilla(model="bundled", max_tokens=64, tool_retriever=retriever)
    bound = model.bind_tools([tool.function for tool in catalog])
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [bound.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([], wrap_tool_call=catalog.wrap_tool_call))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile()


def as_middleware(catalog: ToolCatalog, retriever: ToolRetriever) -> Any:
    """Build ``create_agent`` without tools."""
    model = ChatGorilla(model="bundled", max_tokens=64)
    return create_agent(model, [], middleware=[ToolNarrowing(catalog, retriever=retriever)])


DOORS: dict[str, Callable[[ToolCatalog, ToolRetriever], Any]] = {
    "model": in_the_model,
    "middleware": as_middleware,
}


def turn(agent: Any, number: int) -> tuple[float, float, list[Any]]:
    """Run one turn; return its seconds by the clock and of the CPU, and its messages."""
    question = HumanMessage(QUESTION.format(number))
    start, used = time.perf_counter(), time.process_time()
    messages = agent.invoke({"messages": [question]})["messages"]
    return time.perf_counter() - start, time.process_time() - used, messages


def main() -> None:
    """Measure, print, and fail where the largest catalog costs more than 1.2 times the smallest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--k", type=int, default=1)
    shared = Path(__file__).resolve().parents[2] / "shared" / "retrieval"
    parser.add_argument("--tools", type=Path, default=shared)
    arguments = parser.parse_args()
    if arguments.repeats < 1:
        parser.error(f"--repeats is {arguments.repeats}. Expected: 1 or more.")
    if arguments.k < 1:
        parser.error(f"--k is {arguments.k}. Expected: 1 or more.")
    # Without the folder beside the clone all tools are invented; one that is named is meant.
    if arguments.tools != shared and not any(arguments.tools.glob("*/catalog.jsonl")):
        parser.error(f"--tools {arguments.tools} has no catalog. Expected: */catalog.jsonl in it.")
    check_outputs(json_file=arguments.json)
    catalogs = nested_catalogs(largest_catalog(arguments.tools), arguments.k)
    numbers = itertools.count(1001)
    seconds: dict[tuple[str, int], list[float]] = {}
    cpu: dict[tuple[str, int], list[float]] = {}
    offers: dict[int, set[tuple[str, ...]]] = {size: set() for size in SIZES}
    bind_ms: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        agents = {}
        for size, catalog in catalogs.items():
            index = ToolIndex.in_folder(Path(folder) / str(size))
            index.sync(catalog)
            retriever = ToolRetriever(index=index, catalog=catalog, k=arguments.k)
            model = ChatGorilla(model="bundled", tool_retriever=retriever)
            tools = [tool.function for tool in catalog]
            model.bind_tools(tools)
            start = time.perf_counter()
            model.bind_tools(tools)
            bind_ms[size] = 1_000 * (time.perf_counter() - start)
            for door, build in DOORS.items():
                agents[door, size] = build(catalog, retriever)
        called = answered = 0
        order = list(agents)
        shuffler = random.Random(0)
        for repeat in range(-1, arguments.repeats):
            # Another order each time, so that no size always comes after the same one.
            shuffler.shuffle(order)
            for door, size in order:
                took, used, messages = turn(agents[door, size], next(numbers))
                if repeat < 0:
                    continue  # loads the model, compiles the grammar
                seconds.setdefault((door, size), []).append(took)
                cpu.setdefault((door, size), []).append(used)
                first = next(message for message in messages if isinstance(message, AIMessage))
                offered = first.response_metadata["tools_offered"]
                offers[size].add(tuple(tool["name"] for tool in offered))
                results = [m for m in messages if isinstance(m, ToolMessage)]
                called += bool(results)
                answered += any(m.text == "shipped on Monday" for m in results)
    medians = {key: statistics.median(values) for key, values in seconds.items()}
    ratios = {door: medians[door, SIZES[-1]] / medians[door, SIZES[0]] for door in DOORS}
    report = {
        "ratio_10000_vs_5": round(max(ratios.values()), 3),
        "doors": {
            door: {
                "ratio_10000_vs_5": round(ratios[door], 3),
                "ratio_1000_vs_5": round(medians[door, 1_000] / medians[door, 5], 3),
                "median_ms": {size: round(1_000 * medians[door, size], 1) for size in SIZES},
                "median_cpu_ms": {
                    size: round(1_000 * statistics.median(cpu[door, size]), 1) for size in SIZES
                },
            }
            for door in DOORS
        },
        "bind_ms": {size: round(value, 2) for size, value in bind_ms.items()},
        "offered": {size: sorted(several) for size, several in offers.items()},
        "same_offers": len(set.union(*offers.values())) == 1,
        "turns": len(DOORS) * len(SIZES) * arguments.repeats,
        "turns_with_a_call": called,
        "turns_answered_from_the_tool": answered,
        "k": arguments.k,
        "python": platform.python_version(),
    }
    print(json.dumps(report, indent=2))
    write_json(arguments.json, report)
    sys.exit(0 if report["ratio_10000_vs_5"] <= 1.2 else 1)


if __name__ == "__main__":
    run_command(main)

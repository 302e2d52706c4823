"""What the bundled model can do: hand-written prompts, conversations, speed.

    python benchmarks/bundled_model.py [--json FILE] [--model DIR] [--answers FILE]

40 prompts with tools that training never saw (``bundled/prompts.json``), each right only if all
its calls are, with no other; 20 conversations with a LangGraph agent of five tools
(``bundled/conversations.json``), each right if every answer holds what its tools returned; tokens
a second of greedy answers to half of the prompts on one thread, by transformers' ``generate`` in
float32 and by ChatGorilla in the dtype that it chooses (``GORILLA_DTYPE=float32`` for the same),
each with its prompt read before; seconds that loading takes after the imports, and those of the
imports that transformers makes only when it first loads a model.
Both files were written before the training that they judge and are changed only with a new one.
``--speed`` measures the speed alone.
"""

import argparse
import difflib
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from tqdm import tqdm
from transformers import DynamicCache

from langchain_gorilla import ChatGorilla, bundled, create_tool_agent
from langchain_gorilla.engines.token_sequence import cache_argument
from langchain_gorilla.engines.transformers import load_engine
from langchain_gorilla.evaluation.outputs import check_outputs, write_json, write_text
from langchain_gorilla.evaluation.printing import run_command
from langchain_gorilla.evidence import BUNDLED_WEIGHT
from langchain_gorilla.formats.conversation import conversation
from langchain_gorilla.formats.registry import choose_format
from langchain_gorilla.functions import function_set
from langchain_gorilla.training.evaluate import interval
from langchain_gorilla.training.generate import Generator

FOLDER = Path(__file__).parent / "bundled"
LONGEST = 200
RUNS: dict[str, dict[str, Any]] = {
    "as it comes": {"lexical_weight": BUNDLED_WEIGHT},
    "names by the model alone": {},
    "compared": {"lexical_weight": BUNDLED_WEIGHT, "compare_functions": 3},
    "unconstrained": {"constrained": False},
}
"""Options of ``ChatGorilla`` by the names of the runs; the first are those of
``ChatGorilla(model="bundled")``, the last those of plain greedy decoding."""

IN_CONVERSATION = ("as it comes", "names by the model alone")

_WEATHER = {"Bergen": "9 C, rain", "Malaga": "27 C and sunny"}
_ORDERS = {"88120": "packed", "88121": "delivered", "88122": "cancelled"}
_CUSTOMERS = {"Greta Lindqvist": "C-204", "Omar Haddad": "C-377"}
_BALANCES = {"C-204": "310.5 EUR", "C-377": "48 EUR"}
_RATES = {("CHF", "NOK"): "12.4", ("EUR", "USD"): "1.16"}


def _look_up(known: dict[str, str], kind: str, asked: str) -> str:
    """Return what is known, or raise an error that names the nearest, as a kind tool does."""
    if asked in known:
        return known[asked]
    nearest = difflib.get_close_matches(asked, known, n=1, cutoff=0)[0]
    raise ValueError(f"Unknown {kind} {asked}. Did you mean {nearest}?")


def weather_in(city: str) -> str:
    """Get the weather in a city."""
    return _look_up(_WEATHER, "city", city)


def order_status(order_id: str) -> str:
    """Get the status of an order."""
    return _look_up(_ORDERS, "order", order_id)


def find_customer(name: str) -> str:
    """Find the customer id of a customer by name."""
    return _look_up(_CUSTOMERS, "customer", name)


def customer_balance(customer_id: str) -> str:
    """Get the balance of a customer by the customer id."""
    return _look_up(_BALANCES, "customer id", customer_id)


def exchange_rate(base: str, target: str) -> str:
    """Get the exchange rate from one currency to another."""
    if (base, target) not in _RATES:
        raise ValueError(f"Unknown currency {base}. Did you mean CHF?")
    return _RATES[base, target]


TOOLS: list[Callable[..., str]] = [
    weather_in,
    order_status,
    find_customer,
    customer_balance,
    exchange_rate,
]


def _calls(answer: AIMessage) -> list[tuple[str, dict[str, Any]]]:
    return [(call["name"], call["args"]) for call in answer.tool_calls]


def answer_prompts(model: ChatGorilla, name: str) -> Iterator[dict[str, Any]]:
    """Ask every prompt; the order of an answer's calls is free."""
    given = json.loads((FOLDER / "prompts.json").read_text("utf-8"))
    tools = {tool["name"]: tool for tool in given["tools"]}
    for prompt in tqdm(given["prompts"], desc=name):
        answer = model.bind_tools([tools[one] for one in prompt["tools"]]).invoke(
            prompt["question"]
        )
        calls, left = _calls(answer), [(one["name"], one["arguments"]) for one in prompt["calls"]]
        repeated = any(one in calls[:place] for place, one in enumerate(calls))
        right = len(calls) == len(left) and not answer.invalid_tool_calls
        right = right and all(one in left for one in calls) and not repeated
        yield {
            "question": prompt["question"],
            "right": right,
            "repeated": repeated,
            "expected": left,
            "calls": calls,
            "text": answer.text,
        }


def hold_conversations(model: ChatGorilla) -> Iterator[dict[str, Any]]:
    """Hold every conversation with one agent of all tools."""
    agent = create_tool_agent(model, TOOLS, checkpointer=InMemorySaver())
    for place, one in enumerate(
        tqdm(json.loads((FOLDER / "conversations.json").read_text("utf-8")), desc="conversations")
    ):
        config = {"configurable": {"thread_id": str(place)}, "recursion_limit": 40}
        answers = []
        for turn in one["turns"]:
            state = agent.invoke({"messages": [("human", turn["human"])]}, config)  # type: ignore[arg-type]
            answers.append(state["messages"][-1].text)
        wanted = [turn["contains"] for turn in one["turns"]]
        right = all(
            answer and all(part in answer for part in parts)
            for answer, parts in zip(answers, wanted, strict=True)
        )
        yield {"turns": one["turns"], "answers": answers, "right": right}


def _plain(model: Any, ids: Sequence[int]) -> tuple[int, float]:
    """Answer with transformers' ``generate``, the prompt but for its last token read before."""
    tokens = torch.tensor([list(ids)])
    read = {cache_argument(model): DynamicCache(config=model.config)}
    with torch.no_grad():
        model(input_ids=tokens[:, :-1], logits_to_keep=1, **read)
    begun = time.perf_counter()
    found = model.generate(
        tokens,
        attention_mask=torch.ones_like(tokens),
        max_new_tokens=LONGEST,
        do_sample=False,
        **read,
    )
    return found.shape[1] - len(ids), time.perf_counter() - begun


def _chat(model: Any, question: str) -> tuple[int, float]:
    """Answer with ChatGorilla, everything included; the prompt was read for the first answer."""
    model.invoke(question)
    begun = time.perf_counter()
    answer = model.invoke(question)
    return answer.usage_metadata["output_tokens"], time.perf_counter() - begun


def speed(folder: Path) -> dict[str, Any]:
    """Measure loading, and greedy answers to the same prompts in three ways, in turns."""
    torch.set_num_threads(1)
    first_s, _ = _loaded(folder)
    load_s, plain = _loaded(folder)
    given = json.loads((FOLDER / "prompts.json").read_text("utf-8"))
    tools = {tool["name"]: tool for tool in given["tools"]}
    format_ = choose_format("gorilla-llm/gorilla-openfunctions-v2")
    took: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for prompt in tqdm(given["prompts"][::2], desc="speed"):
        offered, question = [tools[one] for one in prompt["tools"]], prompt["question"]
        functions = function_set(offered)
        parts = format_.render(conversation([HumanMessage(question)], functions), functions.written)
        engine = load_engine(folder)
        took["generate"].append(_plain(plain.model, engine.encode(parts)))
        for name, options in RUNS.items():
            model = _chat_model(folder, options).bind_tools(offered)
            took[f"ChatGorilla, {name}"].append(_chat(model, question))
    rates = {
        name: sum(tokens for tokens, _ in each) / sum(seconds for _, seconds in each)
        for name, each in took.items()
    }
    return {"load_s": load_s, "late_imports_s": first_s - load_s, "tokens_per_s": rates}


def _loaded(folder: Path) -> tuple[float, Generator]:
    begun = time.perf_counter()
    model = Generator(folder)
    return time.perf_counter() - begun, model


def _chat_model(folder: Path, options: dict[str, Any]) -> ChatGorilla:
    return ChatGorilla(
        model=str(folder),
        format="openfunctions-v2",
        temperature=0,
        max_tokens=LONGEST,
        **options,
    )


def _share(rows: list[dict[str, Any]]) -> dict[str, Any]:
    right = sum(row["right"] for row in rows)
    return {"n": len(rows), "right": right / len(rows), "ci95": interval(right, len(rows))}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, default=bundled.path(), help="folder of the model")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--answers", type=Path, help="file for every answer, as JSON lines")
    parser.add_argument("--speed", action="store_true", help="measure nothing but the speed")
    chosen = parser.parse_args()
    if chosen.speed and chosen.answers:
        parser.error("--speed keeps no answers. Leave out one of --speed and --answers.")
    for file in (chosen.json, chosen.answers):
        check_outputs(json_file=file)
    figures: dict[str, Any] = speed(chosen.model)
    rows: list[dict[str, Any]] = []
    for name, options in () if chosen.speed else RUNS.items():
        model = _chat_model(chosen.model, options)
        found = list(answer_prompts(model, f"prompts, {name}"))
        figures[f"prompts, {name}"] = {
            **_share(found),
            "repeated": sum(r["repeated"] for r in found),
        }
        rows += [{"run": name, **row} for row in found]
        if name in IN_CONVERSATION:
            held = list(hold_conversations(model))
            figures[f"conversations, {name}"] = _share(held)
            rows += [{"run": f"conversations, {name}", **row} for row in held]
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    write_json(chosen.json, figures)
    if chosen.answers:
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        write_text(chosen.answers, "\n".join(lines) + "\n")


if __name__ == "__main__":
    run_command(main)

"""Tools of five sources in one catalog: Python, REST, a command line, MCP, an API document.

What has documentation becomes tools that run: nothing here is written twice for the model. The
services and the program run on this machine, so the example needs no network. The first question
asks two of them side by side.
python examples/09_tool_sources.py    (pip install 'langchain-gorilla[mcp]')
"""

import json
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from langchain_gorilla import ChatGorilla, create_tool_agent
from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.retrieval.collection import ToolIndex
from langchain_gorilla.retrieval.retriever import ToolRetriever
from langchain_gorilla.sources.command_line import tools_from_command
from langchain_gorilla.sources.gorilla_documents import tools_from_gorilla_documents
from langchain_gorilla.sources.mcp import tools_from_mcp
from langchain_gorilla.sources.openapi import tools_from_openapi
from langchain_gorilla.sources.python import tools_from_module

WEATHER = {"Oslo": "4 C and snow", "Cairo": "31 C and sunny"}

DESCRIPTION = {
    "openapi": "3.0.3",
    "info": {"title": "Weather", "version": "1"},
    "paths": {
        "/weather/{city}": {
            "get": {
                "operationId": "get_weather",
                "summary": "Get the current weather for a city.",
                "parameters": [
                    {"name": "city", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "responses": {"200": {"description": "Its weather."}},
            }
        }
    },
}

DOCUMENT = {
    "api_name": "Orders API - status",
    "api_call": "GET /orders/{order_id}",
    "api_arguments": {"order_id": "[REQUIRED] string: Number of the order."},
    "functionality": "Get the status of an order.",
}


class Services(BaseHTTPRequestHandler):
    """The two REST services."""

    def do_GET(self) -> None:
        """Answer ``/weather/CITY`` and ``/orders/NUMBER``."""
        kind, value = self.path.strip("/").split("/")
        answer = WEATHER.get(value, "no forecast") if kind == "weather" else "shipped on Monday"
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


MCP_SERVER = '''
from mcp.server.fastmcp import FastMCP

server = FastMCP("clock", log_level="ERROR")

@server.tool()
def get_time(city: str) -> str:
    """Get the current time in a city."""
    return {"Oslo": "9:30", "Cairo": "11:30"}.get(city, "unknown")

server.run()
'''


PROGRAM = """
import argparse

parser = argparse.ArgumentParser(description="Get the population of a city.")
parser.add_argument("city", help="name of the city")
people = {"Oslo": "about 720 thousand", "Cairo": "about 10 million"}
print(people.get(parser.parse_args().city, "unknown"))
"""

QUESTIONS = (
    ("What is the weather in Oslo? Also, what is the time in Cairo?", 2),
    ("What is the status of order 4417?", 1),
    ("What is the mean of 3, 5 and 10?", 1),
    ("What is the population of Oslo?", 1),
)
"""Each with the number of tools that are offered for it."""


def main() -> None:
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Services) as services,
        tempfile.TemporaryDirectory() as folder,
    ):
        threading.Thread(target=services.serve_forever, daemon=True).start()
        base_url = f"http://127.0.0.1:{services.server_address[1]}"
        document = Path(folder) / "orders.json"
        document.write_text(json.dumps(DOCUMENT))
        program = Path(folder) / "get_population.py"
        program.write_text(PROGRAM)
        catalog = ToolCatalog()
        for tools in (
            tools_from_module("statistics", include=["mean", "stdev"]),
            tools_from_openapi(DESCRIPTION, base_url=base_url),
            tools_from_command([sys.executable, str(program)], name="get_population"),
            tools_from_mcp({"command": sys.executable, "args": ["-c", MCP_SERVER]}),
            tools_from_gorilla_documents(document, base_url=base_url),
        ):
            catalog.add_all(tools)
        for entry in catalog:
            print(f"{entry.metadata['source']:18} {entry.name}")

        # The bundled model is small: it is offered the one or two tools that fit a question best.
        model = ChatGorilla(model="bundled", max_tokens=200)
        with ToolIndex.in_folder(Path(folder) / "index") as index:
            index.sync(catalog)
            for question, k in QUESTIONS:
                hits = ToolRetriever(index=index, catalog=catalog, k=k).search(question).hits
                agent = create_tool_agent(model, [catalog.executable(hit.name) for hit in hits[:k]])
                print(f"\n{question}")
                for message in agent.invoke({"messages": [("human", question)]})["messages"][1:]:
                    for call in getattr(message, "tool_calls", ()):
                        print("  asked:", call["name"], call["args"])
                    if message.text:
                        print(f"  {message.type}: {message.text}")
        services.shutdown()


if __name__ == "__main__":
    main()

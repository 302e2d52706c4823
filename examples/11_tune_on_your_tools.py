"""A model that knows your tools, and the words that your people have for them.

Questions are made of the tools' documents and of a few templates, the bundled model learns them in
a minute, and the same question is asked before and after. `gorilla tune questions` and
`gorilla tune model` are the same on the command line, for any model.
"""

import tempfile
from pathlib import Path

from langchain_gorilla import ChatGorilla
from langchain_gorilla.formats.registry import format_named
from langchain_gorilla.tuning.questions import write_questions
from langchain_gorilla.tuning.rows import read_tuning_rows
from langchain_gorilla.tuning.training import TuningOptions, tune


def deploy(build: str, environment: str) -> str:
    """Deploy a build to an environment."""
    return f"{build} is on {environment}"


def roll_back(environment: str) -> str:
    """Go back to the build before in an environment."""
    return f"{environment} is back"


def page_team(team: str) -> str:
    """Page the people on call of a team."""
    return f"{team} is awake"


TOOLS = [deploy, roll_back, page_team]
PHRASES = {
    "deploy": ["Ship {build} to {environment}", "{environment} wants {build}"],
    "roll_back": ["Yank {environment}", "{environment} smells, yank it"],
    "page_team": ["Wake {team}", "The pager of {team} should go off"],
}
QUESTION = "Ship 2.31 to staging and to production"


def show(title: str, model: ChatGorilla) -> None:
    """Print what a model calls."""
    answer = model.bind_tools(TOOLS).invoke(QUESTION)
    calls = [f"{call['name']}({call['args']})" for call in answer.tool_calls]
    print(f"{title}: {', '.join(calls) or answer.text}")


folder = Path(tempfile.mkdtemp())
show("before", ChatGorilla(model="bundled", temperature=0))

made = write_questions(TOOLS, folder, count=120, phrases=PHRASES)
rows, problems = read_tuning_rows(folder / "train.jsonl")
print(f"{made.train} rows to learn from, such as: {rows[0].messages[0].text!r}")

prompted = format_named("openfunctions-v2")
tune(
    rows,
    model="bundled",
    format_=prompted,
    out=folder / "model",
    options=TuningOptions(epochs=2),
)
show("after", ChatGorilla(model=str(folder / "model"), format=prompted, temperature=0))

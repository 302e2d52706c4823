"""APIBench's question: does the answer call an API of the database, and one of the right domain?

``PaperMatcher`` gives the verdicts of the paper's scripts (``ast_eval_th.py``, ``ast_eval_hf.py``,
``ast_eval_tf.py`` of ShishirPatil/gorilla), written anew. Quirks that are kept:

- **Substrings in any order.** An API matches when the text of each of its arguments, without
  ``'``, occurs anywhere in the sub-tree; ``…/4`` matches ``…/42``, a comment matches too.
- **The first match in the database wins**, so of rows with one call only the first one's domain
  counts, and ``bart-large`` takes the answers that mean ``bart-large-cnn``.
- **Fall-through.** Where no sub-tree begins with the API's callee, the sub-tree visited last
  stands in, whatever it is: ``load('a/b')`` matches ``AutoModel.from_pretrained('a/b')``.
- **Which arguments count**: TorchHub ``repo_or_dir`` and ``model``; TensorFlow Hub and
  HuggingFace every argument, of HuggingFace also the optional ones such as ``framework='pt'``.
- **The call's text** runs from the first ``api_call`` to the last ``)`` before ``api_provider``;
  without the field TorchHub counts neither right nor hallucinated, the others parse all of it.
- **Sub-trees are visited from the last to the first**, the outer one before its parts.
- A domain that differs is wrong, not hallucinated.

``StrictMatcher`` asks what the paper says it asks: the same callee, the same identifying
arguments, exactly; any database row with that call is credited; an answer without a call is
``no_call`` and no hallucination. A row that only names a task (``pipeline('ner')``) also takes a
model that some row of its domain names, but no other: that would be made up.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from langchain_gorilla.evaluation.apibench_answer import (
    calls_in_field,
    calls_in_source,
    field_as_the_paper_cuts_it,
)
from langchain_gorilla.evaluation.apibench_data import Api, Hub
from langchain_gorilla.evaluation.python_trees import Node, PythonTree, parse

ApiVerdict: TypeAlias = Literal["correct", "wrong", "hallucination", "no_call"]


# --- As the paper's scripts do it ---


@dataclass(frozen=True)
class _Reference:
    callee: str
    argument_texts: tuple[str, ...]
    api: Api


@dataclass(frozen=True)
class PaperVerdict:
    """What the paper's scripts say of one answer.

    Attributes:
        verdict: ``no_call`` only for TorchHub, whose script counts it as neither.
        duplicate_right: Some database row with the matched call has the right domain, be it not
            the first; with those credited, HuggingFace's published accuracies return.
    """

    verdict: ApiVerdict
    duplicate_right: bool


class PaperMatcher:
    """The verdicts of the paper's scripts for one hub."""

    def __init__(self, hub: Hub, apis: Sequence[Api], *, grammar: Path | None = None) -> None:
        """Parse the database.

        Args:
            hub: Decides which arguments count.
            apis: In the order of the database.
            grammar: A compiled grammar instead of the installed one.

        Raises:
            GrammarError: tree-sitter is not installed.
        """
        self._hub = hub
        self._grammar = grammar
        self._references = tuple(self._read(apis))
        self._callees = {reference.callee for reference in self._references}
        self._longest_callee = max((len(c.encode()) for c in self._callees), default=0)
        self._domains: dict[str, set[str]] = defaultdict(set)
        for api in apis:
            self._domains[api.api_call].add(api.domain)

    def verdict(self, text: str, domain: str) -> PaperVerdict:
        """Judge one answer.

        Args:
            text: The answer as recorded.
            domain: Domain of the right API.
        """
        source = field_as_the_paper_cuts_it(text)
        if source is None:
            if self._hub == "torchhub":
                return PaperVerdict("no_call", False)
            source = text
        match = self._first_match(source)
        if match is None:
            return PaperVerdict("hallucination", False)
        return PaperVerdict(
            "correct" if match.domain == domain else "wrong",
            domain in self._domains[match.api_call],
        )

    def _first_match(self, source: str) -> Api | None:
        tree = parse(source, self._grammar)
        by_callee: dict[str, Node] = {}
        last = tree.root
        for beginning, last in _sub_trees(tree, self._longest_callee):
            if beginning in self._callees:
                by_callee.setdefault(beginning, last)
        stand_in = tree.text_of(last)
        texts = {callee: tree.text_of(node) for callee, node in by_callee.items()}
        for reference in self._references:
            text = texts.get(reference.callee, stand_in)
            if all(argument in text for argument in reference.argument_texts):
                return reference.api
        return None

    def _read(self, apis: Sequence[Api]) -> Iterator[_Reference]:
        for api in apis:
            tree = parse(api.api_call, self._grammar)
            statement = tree.root.children
            call = statement[0].children[0] if statement and statement[0].children else None
            if call is None or call.child_count < 2:
                continue
            arguments = tuple(_argument_texts(self._hub, tree, call.children[1]))
            if arguments:
                yield _Reference(tree.text_of(call.children[0]), arguments, api)


def _sub_trees(tree: PythonTree, most_bytes: int) -> Iterator[tuple[str, Node]]:
    """Yield the text of each node's first child and the node, from the last sub-tree on.

    A first child longer than ``most_bytes`` is no callee; its text is left empty, or nested ones
    would be copied over and over.
    """
    stack = [tree.root]
    while stack:
        node = stack.pop()
        children = node.children
        is_short = bool(children) and children[0].end_byte - children[0].start_byte <= most_bytes
        yield (tree.text_of(children[0]) if is_short else ""), node
        stack.extend(child for child in children if child.child_count)


def _argument_texts(hub: Hub, tree: PythonTree, argument_list: Node) -> Iterator[str]:
    for argument in argument_list.children:
        text = tree.text_of(argument)
        if _is_named(hub, text):
            # Of ``name=value`` the third child; what has fewer, the scripts cannot read either.
            if argument.child_count > 2:
                yield tree.text_of(argument.children[2]).strip("'")
        elif hub != "torchhub" and text not in ("(", ")", ","):
            yield text.strip("'")


def _is_named(hub: Hub, text: str) -> bool:
    match hub:
        case "torchhub":
            return "repo_or_dir" in text or "model" in text
        case "huggingface":
            return "=" in text
        case "tensorflowhub":
            return "model=" in text or "model =" in text


# --- As the paper describes it ---

_POSITIONS: dict[str, tuple[str, ...]] = {
    "torch.hub.load": ("repo_or_dir", "model"),
    "hub.load": ("handle",),
    "hub.KerasLayer": ("handle",),
    "pipeline": ("task", "model"),
    "from_pretrained": ("pretrained_model_name_or_path",),
    "from_hparams": ("source",),
    "load_from_hub": ("repo_id", "filename"),
}
"""Names of positional parameters, by callee or by the callee's last part; the first identifies."""

_IDENTIFYING = frozenset(
    {"repo_or_dir", "model", "handle", "task", "pretrained_model_name_or_path", "repo_id"}
)
"""Keyword arguments that say which model is loaded, whatever the callee; others are options of
loading it."""


class StrictMatcher:
    """Exact verdicts for one hub: same callee, same identifying arguments, any duplicate row."""

    def __init__(self, apis: Sequence[Api]) -> None:
        """Read the database; the few rows that are no Python (7 of TorchHub's) match nothing."""
        self._rows: dict[str, list[tuple[dict[str, str], str]]] = defaultdict(list)
        self._known: dict[str, set[str]] = defaultdict(set)
        for api in apis:
            call = next(calls_in_source(api.api_call), None)
            if call is not None and call.node is not None:
                # A row without one is told from others by all that it gives.
                wanted = _identifying(call.callee, call.node) or _arguments(call.callee, call.node)
                self._rows[call.callee].append((wanted, api.domain))
                self._known[api.domain].update(wanted.values())

    def verdict(self, text: str, domain: str) -> ApiVerdict:
        """Judge one answer by its ``api_call`` field; see ``PaperMatcher.verdict``."""
        calls = list(calls_in_field(text))
        if not calls:
            return "no_call"
        domains = {
            row_domain
            for call in calls
            if call.node is not None
            for wanted, row_domain in self._rows.get(call.callee, ())
            if wanted.items() <= _arguments(call.callee, call.node).items()
            and self._knows(row_domain, wanted, _identifying(call.callee, call.node))
        }
        if not domains:
            return "hallucination"
        return "correct" if domain in domains else "wrong"

    def _knows(self, domain: str, wanted: dict[str, str], given: dict[str, str]) -> bool:
        """Say whether what an answer identifies beyond a row stands in a row of the domain.

        Many a model's row loads it by its class, where ``pipeline`` with its name does as well.
        """
        beyond = {value for name, value in given.items() if name not in wanted}
        return beyond <= self._known[domain]


def _positions(callee: str) -> tuple[str, ...]:
    return _POSITIONS.get(callee) or _POSITIONS.get(callee.rpartition(".")[2]) or ()


def _arguments(callee: str, call: ast.Call) -> dict[str, str]:
    """Map parameters to the source of their values; unknown positions are numbered."""
    names = _positions(callee)
    arguments = {
        names[position] if position < len(names) else str(position): ast.unparse(value)
        for position, value in enumerate(call.args)
    }
    for keyword in call.keywords:
        arguments[keyword.arg or "**"] = ast.unparse(keyword.value)
    return arguments


def _identifying(callee: str, call: ast.Call) -> dict[str, str]:
    return {
        name: value
        for name, value in _arguments(callee, call).items()
        if name in _IDENTIFYING or name in _positions(callee)[:1] or name.isdigit()
    }

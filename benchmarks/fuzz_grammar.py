"""Walk at random through the grammars of real schemas and check every call that comes out.

    python benchmarks/fuzz_grammar.py --calls 100000 [--seed 0] [--tokenizer tokenizer.json]
    python benchmarks/fuzz_grammar.py --gold

Prints how many calls were written, how many of them ``ast`` or jsonschema refused
(violations), and which schemas the grammar refused as contradictory. ``--gold`` prints how many
of BFCL's ground-truth calls their own grammar accepts, and names the others.

What jsonschema judges by: the function's own schema, with the two documented decisions of
``grammar/json_schema.py`` written out (nullable; the default of an optional property is a
value). A violation at a keyword that ``coverage`` names as left to validation is counted apart.
"""

import argparse
import ast
import collections
import itertools
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jsonschema import Draft202012Validator, ValidationError

from langchain_gorilla.calls import CallSyntax
from langchain_gorilla.errors import InvalidFunctionError
from langchain_gorilla.functions import FunctionSchema, FunctionSet, function_schema
from langchain_gorilla.grammar.call_grammar import Answer, coverage
from langchain_gorilla.grammar.compiler import ConstraintCompiler
from langchain_gorilla.grammar.constraint import Constraint, Vocabulary, mask_to_bools

SHARED = Path(__file__).resolve().parents[2] / "shared"
BUNDLED = Path(__file__).resolve().parents[1] / "langchain_gorilla/bundled/tokenizer.json"
V2 = CallSyntax(opening="<<function>>", separator="<<function>>", closing="")
_CLOSERS = frozenset("'\")]}")
_STEERED_AFTER = 60
_GIVEN_UP_AFTER = 1500


class Walker:
    """Chooses tokens at random, but leans towards the end once a call grows long."""

    def __init__(self, vocabulary: Vocabulary, seed: int) -> None:
        self.vocabulary = vocabulary
        self.random = random.Random(seed)
        self.closers = np.zeros(vocabulary.size, dtype=bool)
        for token in range(vocabulary.size):
            text = vocabulary.decode([token]).decode("utf-8", "replace")
            self.closers[token] = bool(_CLOSERS & set(text))

    def walk(self, constraint: Constraint) -> str | None:
        """Return one answer, or None where it did not end in time."""
        tokens: list[int] = []
        ends = sorted(self.vocabulary.end_ids)
        while len(tokens) < _GIVEN_UP_AFTER:
            if constraint.complete:
                return self.vocabulary.decode(tokens).decode()
            if (forced := constraint.forced()) and self.random.random() < 0.8:
                constraint.consume(forced)
                tokens += forced
                continue
            allowed = mask_to_bools(constraint.allowed(), self.vocabulary.size).copy()
            if allowed[ends].any() and (self.random.random() < 0.5 or len(tokens) > 100):
                return self.vocabulary.decode(tokens).decode()
            allowed[ends] = False
            if len(tokens) > _STEERED_AFTER or self.random.random() < 0.25:
                steered = allowed & self.closers
                allowed = steered if steered.any() else allowed
            token = int(self.random.choice(np.flatnonzero(allowed).tolist()))
            constraint.consume([token])
            tokens.append(token)
        return None


def written_call(text: str, opening: str) -> tuple[str, dict[str, Any]]:
    """Read one call with ``ast``; raises where it is no call of keyword literals."""
    node = ast.parse(text.removeprefix(opening), mode="eval").body
    if not isinstance(node, ast.Call) or node.args:
        raise SyntaxError("not a call with keyword arguments only")
    arguments: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in arguments:
            raise SyntaxError(f"argument {keyword.arg} twice")
        arguments[keyword.arg] = ast.literal_eval(keyword.value)
    return ast.unparse(node.func), arguments


def judged(schema: Any) -> Any:
    """Return the schema that jsonschema judges by; see the module's docstring."""
    if isinstance(schema, list):
        return [judged(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    result = {
        key: value if key in ("enum", "const", "default", "required") else judged(value)
        for key, value in schema.items()
    }
    if isinstance(properties := result.get("properties"), dict):
        for name, each in properties.items():
            optional = name not in (result.get("required") or ())
            if optional and isinstance(each, dict) and "default" in each:
                properties[name] = {"anyOf": [each, {"const": each["default"]}]}
    if result.pop("nullable", False) is True:
        return {"anyOf": [result, {"type": "null"}]}
    return result


def keywords(error: ValidationError) -> set[str]:
    """Name the keywords of an error and of those inside it (the options of an anyOf)."""
    return {str(error.validator)}.union(*map(keywords, error.context or ()))


def bfcl() -> Iterator[Any]:
    """Give the functions of BFCL's entries."""
    for line in (SHARED / "cases/bfcl_gold.jsonl").read_text().splitlines():
        yield from json.loads(line)["functions"]


def api_zoo() -> Iterator[Any]:
    """Give the API documents of Gorilla's API zoo."""
    for path in sorted((SHARED / "apizoo").iterdir()):
        try:
            documents = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            print(f"{path.name} is no JSON: {error}")
            continue
        yield from documents if isinstance(documents, list) else [documents]


def box() -> Iterator[Any]:
    """Give Box's operations: parameters and the properties of a JSON body."""
    document = json.loads((SHARED / "openapi/box.json").read_text())
    schemas = document["components"]["schemas"]
    for item in document["paths"].values():
        for operation in item.values():
            if not isinstance(operation, dict) or "operationId" not in operation:
                continue
            properties: dict[str, Any] = {}
            required = []
            for parameter in operation.get("parameters", ()):
                properties[parameter["name"]] = parameter.get("schema", {})
                required += [parameter["name"]] * bool(parameter.get("required"))
            content = operation.get("requestBody", {}).get("content", {})
            body = content.get("application/json", {}).get("schema", {})
            properties.update(body.get("properties", {}))
            required += [name for name in body.get("required", ()) if name in properties]
            parameters = {"type": "object", "properties": properties, "required": required}
            yield {
                "name": operation["operationId"],
                "description": "",
                "parameters": {**parameters, "components": {"schemas": _used(parameters, schemas)}},
            }


def _used(schema: Any, schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Give the component schemas that a schema refers to, directly or not."""
    used: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting += here
        elif isinstance(here, dict):
            name = str(here.get("$ref", "")).removeprefix("#/components/schemas/")
            if name in schemas and name not in used:
                used[name] = schemas[name]
                waiting.append(schemas[name])
            waiting += here.values()
    return used


def functions_of(tools: Iterator[Any], count: collections.Counter[str]) -> list[FunctionSchema]:
    """Convert tools; count those that are no tools."""
    functions: dict[str, FunctionSchema] = {}
    for tool in tools:
        try:
            function = FunctionSet([function_schema(tool)]).written[0]
        except InvalidFunctionError:
            count["no tool"] += 1
            continue
        functions.setdefault(function.fingerprint, function)
    return list(functions.values())


def fuzz(vocabulary: Vocabulary, calls: int, seed: int) -> int:
    """Walk, check, print; return the number of violations."""
    started = time.perf_counter()
    walker = Walker(vocabulary, seed)
    compiler = ConstraintCompiler(vocabulary, kept=64)
    count: collections.Counter[str] = collections.Counter()
    usable, refused, gaps = [], [], {}
    for source, tools in (("BFCL", bfcl()), ("API zoo", api_zoo()), ("Box", box())):
        functions = functions_of(tools, count)
        for function in functions:
            try:
                gaps[function.fingerprint] = coverage([function], V2)[0].gaps
            except InvalidFunctionError as error:
                refused.append(str(error))
                continue
            usable.append((function, Draft202012Validator(judged(function.parameters))))
        print(f"{source}: {len(functions)} functions")
    print(f"refused as contradictory: {len(refused)}")
    for reason in refused:
        print(f"  {reason}")
    walker.random.shuffle(usable)
    # Round and round, so that every schema is walked once before one is walked again.
    for function, validator in itertools.cycle(usable):
        if count["calls"] >= calls:
            break
        count["walked"] += 1
        constraint = compiler.constraint([function], V2, Answer(mode="any", parallel=False))
        for _ in range(min(8, calls - count["calls"])):
            text = walker.walk(constraint.fork())
            if text is None:
                count["cut off"] += 1
                continue
            count["calls"] += 1
            try:
                name, arguments = written_call(text, V2.opening)
                errors = list(validator.iter_errors(arguments))
            except (SyntaxError, ValueError) as error:
                count["violations"] += 1
                print(f"VIOLATION {function.name}: {error}\n  {text[:300]}")
                continue
            left = {gap.keyword for gap in gaps[function.fingerprint]}
            wrong = [each.message for each in errors if left.isdisjoint(keywords(each))]
            if name != function.name:
                wrong.append(f"another name, {name}")
            if wrong:
                count["violations"] += 1
                print(f"VIOLATION {function.name}: {wrong[0][:200]}\n  {text[:300]}")
            elif errors:
                count["left to validation"] += 1
    seconds = time.perf_counter() - started
    print(
        f"calls {count['calls']}, violations {count['violations']}, left to validation "
        f"{count['left to validation']}, cut off {count['cut off']}, schemas {len(usable)}, "
        f"of them walked {min(count['walked'], len(usable))}, "
        f"refused {len(refused)}, no tool {count['no tool']}, seconds {seconds:.0f}"
    )
    return count["violations"]


def gold(vocabulary: Vocabulary) -> None:
    """Print how many of BFCL's ground-truth calls are accepted, by language."""
    count: collections.Counter[tuple[str, str]] = collections.Counter()
    compiler = ConstraintCompiler(vocabulary)
    for line in (SHARED / "cases/bfcl_gold.jsonl").read_text().splitlines():
        row = json.loads(line)
        functions = FunctionSet(map(function_schema, row["functions"])).written
        constraint = compiler.constraint(functions, V2, Answer(mode="any"))
        tokens = vocabulary.encode(row["texts"]["gorilla_v2"], special=True)
        taken = constraint.try_consume(tokens)
        accepted = taken == len(tokens) and constraint.can_end
        count[row["language"], "accepted" if accepted else "refused"] += 1
        if not accepted:
            fits, rest = (
                vocabulary.decode(part).decode("utf-8", "replace")
                for part in (tokens[:taken], tokens[taken:])
            )
            print(f"refused {row['id']}: …{fits[-60:]} ▶ {rest[:40]}")
    for (language, outcome), number in sorted(count.items()):
        print(language, outcome, number)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tokenizer", type=Path, default=BUNDLED)
    parser.add_argument("--end-id", type=int, default=1)
    parser.add_argument("--gold", action="store_true")
    options = parser.parse_args()
    if options.calls < 1:
        parser.error(f"--calls is {options.calls}. Expected: 1 or more.")
    if not options.tokenizer.is_file():
        parser.error(f"--tokenizer {options.tokenizer} is no file. Expected: a tokenizer.json.")
    if not SHARED.is_dir():
        parser.error(f"There is no folder {SHARED}, whose schemas are walked. Put it there.")
    vocabulary = Vocabulary(options.tokenizer.read_text("utf-8"), end_ids=[options.end_id])
    if options.gold:
        gold(vocabulary)
    else:
        sys.exit(fuzz(vocabulary, options.calls, options.seed) > 0)


if __name__ == "__main__":
    main()

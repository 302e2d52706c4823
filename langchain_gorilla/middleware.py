"""Middleware for ``langchain.agents.create_agent``; needs the ``langchain`` extra.

``create_agent(model, tools, middleware=[ToolCallRepair()])``
``create_agent(model, tools=[], middleware=[ToolNarrowing(catalog), ToolCallRepair()])``
``create_agent(model, tools, middleware=[ToolCallRepair(), MissingArgumentInterrupt()])``

In this order, as LangChain runs what comes after the model from the last to the first: a person
names what is missing, then the calls as they will run are checked. LangChain's
``HumanInTheLoopMiddleware`` goes between the two, so that a person approves what will run.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState, hook_config
    from langchain.agents.middleware.types import (
        ExtendedModelResponse,
        ModelRequest,
        ModelResponse,
        PrivateStateAttr,
    )
    from langchain.agents.structured_output import (
        AutoStrategy,
        OutputToolBinding,
        ProviderStrategy,
        StructuredOutputValidationError,
        ToolStrategy,
    )
except ImportError as error:
    raise ImportError(
        "langchain_gorilla.middleware needs the langchain package: "
        "pip install 'langchain-gorilla[langchain]'. Without it, "
        "langchain_gorilla.create_tool_agent builds an agent with the same recovery."
    ) from error
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.tools import BaseTool
from langgraph.runtime import Runtime
from langgraph.types import Command
from typing_extensions import NotRequired, TypedDict

from langchain_gorilla.binding import ToolChoice, spelled_allowed_tools, spelled_choice
from langchain_gorilla.catalog import ToolCatalog
from langchain_gorilla.chat_models import ChatGorilla
from langchain_gorilla.functions import FunctionSchema, function_set
from langchain_gorilla.interrupting import answer_with_missing
from langchain_gorilla.missing import settled, wants_interrupt
from langchain_gorilla.narrowing.bound import is_deferred, tool_name
from langchain_gorilla.narrowing.catalogued import CataloguedTools
from langchain_gorilla.narrowing.offering import (
    NOTHING_FITS,
    Measure,
    Size,
    asearch,
    decide,
    needs_search,
    search,
)
from langchain_gorilla.narrowing.selection import (
    History,
    Offer,
    read_history,
    read_offered,
    turn_of,
)
from langchain_gorilla.recovery import as_refusal, check_bounds, last_answer, recover
from langchain_gorilla.retrieval.retriever import ToolRetriever
from langchain_gorilla.retrieval.searching import SearchResult


class ToolCallRepair(AgentMiddleware[AgentState[Any], Any, Any]):
    """Answers calls that cannot run with error ToolMessages, so that the model mends them.

    ``create_agent`` alone ends silently on a message that has only invalid calls (with
    ``ProviderStrategy`` by an error, as they are no JSON), and goes on for ever if the model
    repeats one call or a structured answer that does not pass ``ToolStrategy``.
    Here the run ends with an AIMessage that says why; ``structured_response`` is None then.

    Args:
        max_repairs: As in ``langchain_gorilla.recovery.recover``.
        max_identical_calls: As in ``langchain_gorilla.recovery.recover``.
    """

    def __init__(self, *, max_repairs: int = 2, max_identical_calls: int = 3) -> None:
        super().__init__()
        check_bounds(max_repairs, max_identical_calls)
        self.max_repairs = max_repairs
        self.max_identical_calls = max_identical_calls

    def wrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], ModelResponse[Any]],
    ) -> ModelResponse[Any]:
        """Mark the structured answers that ``create_agent`` refuses, and keep refused calls."""
        try:
            return _with_refusals(handler(request))
        except StructuredOutputValidationError as error:
            return _refused_calls(error)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Like ``wrap_model_call``."""
        try:
            return _with_refusals(await handler(request))
        except StructuredOutputValidationError as error:
            return _refused_calls(error)

    @hook_config(can_jump_to=["model", "end"])
    def after_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Refuse what cannot run, and choose where the agent goes on."""
        answer, _ = last_answer(state["messages"])
        if answer is None or state.get("structured_response") is not None:
            return None  # the agent has its answer, and ends by itself
        decided = recover(
            state["messages"],
            max_repairs=self.max_repairs,
            max_identical_calls=self.max_identical_calls,
        )
        if not decided.messages:
            return None
        update: dict[str, Any] = {"messages": list(decided.messages)}
        # Calls that are left over reach the tools by the agent's own edge.
        return update if decided.next == "tools" else {**update, "jump_to": decided.next}

    @hook_config(can_jump_to=["model", "end"])
    async def aafter_model(
        self, state: AgentState[Any], runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """Like ``after_model``."""
        return self.after_model(state, runtime)


def _with_refusals(response: ModelResponse[Any]) -> ModelResponse[Any]:
    """Mark what ``create_agent`` answered structured calls with, where it took none of them."""
    if response.structured_response is not None:
        return response
    result = [
        # Not an error to create_agent, which would end after the tools that run beside it.
        as_refusal(message.model_copy(update={"status": "error"}))
        if isinstance(message, ToolMessage)
        else message
        for message in response.result
    ]
    return replace(response, result=result)


def _refused_calls(error: StructuredOutputValidationError) -> ModelResponse[Any]:
    """Return the answer that ``ProviderStrategy`` read as JSON though it is a call, refused.

    Raises:
        StructuredOutputValidationError: It is something else.
    """
    answer = error.ai_message
    if answer.tool_calls or not answer.invalid_tool_calls:
        raise error
    return ModelResponse([answer])


class MissingArgumentInterrupt(AgentMiddleware[AgentState[Any], Any, Any]):
    """Stops the agent before calls whose required arguments nobody named.

    For ``ChatGorilla(on_missing_argument="interrupt")`` and an agent with a checkpointer. The
    interrupt shows what is missing; ``Command(resume=…)`` brings it, as
    ``langchain_gorilla.missing.resumed`` says. What cannot be used is asked for again. Calls that
    are answered already, refused ones and structured output, are not asked about.
    """

    def after_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Wait for the missing arguments, and put them into the calls."""
        # ToolMessages may stand behind it: refusals, and create_agent's own for structured output.
        answer, results = last_answer(state["messages"])
        if answer is None:
            return None
        waiting = settled(answer, {result.tool_call_id for result in results})
        if not wants_interrupt(waiting):
            return None
        # The same id, so the state replaces the answer where it stands.
        return {"messages": [answer_with_missing(waiting)]}

    async def aafter_model(
        self, state: AgentState[Any], runtime: Runtime[Any]
    ) -> dict[str, Any] | None:
        """Like ``after_model``."""
        return self.after_model(state, runtime)


class ToolSelection(TypedDict):
    """What a conversation is offered.

    Attributes:
        turn: The human turn that it was searched for; ``""`` where it still has to be.
        tools: As ``OfferedTool.as_data`` writes them, in the order of the prompt.
    """

    turn: str
    tools: list[dict[str, Any]]


class NarrowingState(AgentState[Any]):
    """The agent's state, with its selection: checkpointed, and no part of input or output."""

    tool_selection: NotRequired[Annotated[ToolSelection, PrivateStateAttr]]


class ToolNarrowing(AgentMiddleware[NarrowingState, Any, Any]):
    """Offers the model, of a whole catalog, the few tools that a human turn needs, and runs them.

    The agent is built with ``tools=[]`` at no cost, with any chat model. The catalog's
    documentation is read at every call: change it, sync the index, and the next call is offered
    the new one. A tool that was not offered does not run. Tools that the agent has of its own are
    always offered, but for those marked ``extras["defer_loading"]`` that the catalog holds too.
    ``create_agent`` asks only the tools that it was built with whether they return directly: the
    result of a catalog's tool with ``return_direct=True`` goes to the model, like any other.

    Args:
        catalog: The tools, which run from here.
        retriever: Finds them, calibrated or not; None searches the catalog's words in this
            process.
    """

    state_schema = NarrowingState

    def __init__(self, catalog: ToolCatalog, *, retriever: ToolRetriever | None = None) -> None:
        super().__init__()
        self._box = CataloguedTools(catalog, retriever)

    def wrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], ModelResponse[Any]],
    ) -> ExtendedModelResponse[Any]:
        """Offer the selection, made anew where a human turn began.

        Raises:
            PromptTooLongError: Not even the smallest useful offer fits the model's context.
        """
        history, choice = self._history(request), _choice(request, self._box)
        result = search(self._box, history.query or "") if needs_search(history, choice) else None
        offer, narrowed = self._narrowed(request, history, result, choice)
        return _recorded(handler(narrowed), offer, request)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ExtendedModelResponse[Any]:
        """Like ``wrap_model_call``."""
        history, choice = self._history(request), _choice(request, self._box)
        needed = needs_search(history, choice)
        result = await asearch(self._box, history.query or "") if needed else None
        # Measuring the first prompt loads a local model.
        offer, narrowed = await asyncio.to_thread(self._narrowed, request, history, result, choice)
        return _recorded(await handler(narrowed), offer, request)

    def wrap_tool_call(self, request: Any, handler: Callable[[Any], Any]) -> Any:
        """Run a call of an offered tool; refuse one of a tool that was not offered."""
        allowed = self._allowed(request)
        return allowed if isinstance(allowed, ToolMessage) else handler(allowed)

    async def awrap_tool_call(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        """Like ``wrap_tool_call``."""
        allowed = self._allowed(request)
        return allowed if isinstance(allowed, ToolMessage) else await handler(allowed)

    def _history(self, request: ModelRequest[Any]) -> History:
        selection: ToolSelection | None = request.state.get("tool_selection")  # type: ignore[assignment]
        messages = request.messages
        if selection is None:
            return read_history(messages, self._box)
        kept, searched = read_offered(selection["tools"]), selection["turn"] == turn_of(messages)
        return read_history(messages, self._box, kept=kept, searched=searched)

    def _narrowed(
        self,
        request: ModelRequest[Any],
        history: History,
        result: SearchResult | None,
        choice: ToolChoice,
    ) -> tuple[Offer, ModelRequest[Any]]:
        """Return what is offered, and the request that offers it."""
        box = self._box
        own = [tool for tool in request.tools if not (is_deferred(tool) and tool_name(tool) in box)]
        answers, options = _structured(request)
        # A tool that the agent has of its own is offered as such, once; a vendor's has no name.
        names = {
            tool_name(tool): tool
            for tool in [*own, *answers]
            if not isinstance(tool, dict) or tool.get("type", "function") == "function"
        }
        measure = _measure(request, names, options)
        offer = decide(box, history, result, choice, measure, taken=tuple(names))
        functions = box.functions([name for name in offer.names if name not in names])
        tools = [{"type": "function", "function": each.document()} for each in functions]
        narrowed = request.override(tools=[*own, *tools])
        if (offer.abstained or history.query is None) and not narrowed.tools:
            said = request.system_message.text if request.system_message else ""
            system = SystemMessage(f"{said}\n\n{NOTHING_FITS}".strip())
            narrowed = narrowed.override(system_message=system)
        return offer, narrowed

    def _allowed(self, request: Any) -> Any:
        """Return the request with its tool, or the ToolMessage that tells the model why not."""
        call = request.tool_call
        name = call["name"]
        selection = request.state.get("tool_selection") or {}
        offered = [tool["name"] for tool in selection.get("tools", ())]
        is_own = request.tool is not None and not is_deferred(request.tool)
        # The agent's own, or another middleware's.
        is_others = is_own or (name not in offered and name not in self._box)
        if not is_others and name not in offered:
            return ToolMessage(
                f"Error: the tool {name!r} was not offered for this request, so it did not run. "
                f"Offered are: {', '.join(offered) or 'none'}.",
                name=name,
                tool_call_id=call["id"],
                status="error",
            )
        request = self._box.beside(request, offered)
        return request if is_others else self._box.catalog.resolve(request)


def _choice(request: ModelRequest[Any], box: CataloguedTools) -> ToolChoice:
    """Read as much of a tool choice as matters to a selection, in any vendor's form."""
    if (spelled := spelled_allowed_tools(request.tool_choice)) is not None:
        return ToolChoice(allowed=tuple(name for name in spelled[1] if name in box))
    choice = spelled_choice(request.tool_choice) or ToolChoice()
    # The agent's own tools can be called too.
    own = choice.name not in box if choice.name else choice.mode == "any" and request.tools
    return ToolChoice() if own else choice


def _structured(request: ModelRequest[Any]) -> tuple[list[BaseTool], dict[str, Any]]:
    """Return what ``create_agent`` adds for a structured answer: tools, or options of the call."""
    wanted = request.response_format
    if isinstance(wanted, AutoStrategy):
        is_option = (request.model.profile or {}).get("structured_output")
        wanted = (ProviderStrategy if is_option else ToolStrategy)(wanted.schema)
    if isinstance(wanted, ProviderStrategy):
        return [], wanted.to_model_kwargs()
    specs = wanted.schema_specs if isinstance(wanted, ToolStrategy) else ()
    return [OutputToolBinding.from_schema_spec(spec).tool for spec in specs], {}


def _measure(
    request: ModelRequest[Any], own: Mapping[str, Any], options: Mapping[str, Any]
) -> Measure:
    """Measure prompts that hold ``own`` by the model's tokenizer, or about, if it is another's."""
    messages: list[BaseMessage] = [*request.messages]
    if request.system_message is not None:
        messages.insert(0, request.system_message)
    model = request.model

    def together(functions: Sequence[FunctionSchema]) -> Sequence[FunctionSchema]:
        others = [function for function in functions if function.name not in own]
        return function_set([*own.values(), *others]).functions

    if isinstance(model, ChatGorilla):
        exact = model.measure(messages, {**options, **request.model_settings})
        return lambda functions: exact(together(functions))
    context = (getattr(model, "profile", None) or {}).get("max_input_tokens")

    def estimated(functions: Sequence[FunctionSchema]) -> Size:
        if context is None:
            return Size(0, None)
        tools: list[Any] = [function.document() for function in together(functions)]
        return Size(count_tokens_approximately(messages, tools=tools), context * 3 // 4)

    return estimated


def _recorded(
    response: ModelResponse[Any], offer: Offer, request: ModelRequest[Any]
) -> ExtendedModelResponse[Any]:
    """Write the offer into the answer's metadata and into the agent's state."""
    result = [
        message.model_copy(
            update={"response_metadata": {**message.response_metadata, **offer.metadata()}}
        )
        if isinstance(message, AIMessage)
        else message
        for message in response.result
    ]
    selection = ToolSelection(
        turn="" if offer.pending else turn_of(request.messages),
        tools=[tool.as_data() for tool in offer.tools],
    )
    return ExtendedModelResponse(
        ModelResponse(result, response.structured_response),
        command=Command(update={"tool_selection": selection}),
    )

"""A ready LangGraph agent: the model calls tools until it has an answer.

For graphs without the ``langchain`` package; with it, ``langchain.agents.create_agent`` takes
the same model, and ``langchain_gorilla.middleware`` brings the same recovery.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.runnables import (
    Runnable,
    RunnableConfig,
    RunnableLambda,
    RunnableWithFallbacks,
)
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import DynamicRunnable
from langchain_core.tools import BaseTool
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.store.base import BaseStore
from langgraph.types import All, Checkpointer, Send

from langchain_gorilla.catalog import CatalogTool, ToolCatalog
from langchain_gorilla.errors import UnsupportedOptionError
from langchain_gorilla.functions import FunctionSchema, function_set
from langchain_gorilla.interrupting import answer_with_missing
from langchain_gorilla.missing import wants_interrupt
from langchain_gorilla.recovery import check_bounds, last_answer, recover

AgentGraph = CompiledStateGraph[MessagesState, Any, MessagesState, MessagesState]


def create_tool_agent(
    model: BaseChatModel | Runnable[LanguageModelInput, AIMessage],
    tools: Sequence[BaseTool | Callable[..., Any]] | ToolNode | ToolCatalog,
    *,
    system_prompt: str | SystemMessage | None = None,
    state_schema: type[Any] | None = None,
    context_schema: type[Any] | None = None,
    checkpointer: Checkpointer = None,
    store: BaseStore | None = None,
    interrupt_before: All | list[str] | None = None,
    interrupt_after: All | list[str] | None = None,
    name: str | None = None,
    max_repairs: int = 2,
    max_identical_calls: int = 3,
    handle_tool_errors: bool | str | Callable[..., str] | tuple[type[Exception], ...] = True,
) -> AgentGraph:
    """Build the graph ``model ⇄ tools`` over ``MessagesState``.

    >>> from langchain_gorilla import ChatGorilla
    >>> def get_weather(city: str) -> str:
    ...     "Get the current weather for a city."
    ...     return "18 C and cloudy"
    >>> agent = create_tool_agent(ChatGorilla(model="bundled"), [get_weather])
    >>> asked = {"messages": [("human", "What is the weather in Paris?")]}
    >>> for message in agent.invoke(asked)["messages"][1:]:
    ...     print(message.type, message.text or message.tool_calls[0]["args"])
    ai {'city': 'Paris'}
    tool 18 C and cloudy
    ai Paris: 18 C and cloudy.

    Calls of one answer run side by side in a ``ToolNode``, each a task of its own: where one of
    them interrupts, the others run once. Calls that cannot run come back to the model as error
    ToolMessages; a model that does not mend them ends the run with an answer that says so, never
    silently. With ``ChatGorilla(on_missing_argument="interrupt")`` and a checkpointer the run
    stops before calls with made-up arguments, by LangGraph's ``interrupt``, and goes on with
    ``Command(resume=…)``; ``langchain_gorilla.missing.resumed`` says with what.
    Where all calls of an answer ran, of tools with ``return_direct=True``, their results end it.

    Args:
        model: Any chat model with ``bind_tools``; options may be bound to it, such as
            ``model.bind(stop=["###"])``, and tools may not.
        tools: What it may call; a ``ToolNode`` of them, configured by you; or a ``ToolCatalog``,
            for a ``ChatGorilla`` with a ``tool_retriever``, which is offered a few of them. A
            catalog may change while the agent runs.
        system_prompt: Put before the conversation at every call, not kept in the state.
        state_schema: Has ``messages`` as ``MessagesState`` has them, and keys of your own, which
            tools may read and change; None is ``MessagesState``.
        context_schema: Of what a run is given as ``context=``, which tools may read.
        checkpointer: Keeps conversations by ``thread_id``; True or False as in LangGraph, for an
            agent that is a node of another graph.
        store: What tools remember across conversations.
        interrupt_before: Nodes before which a run stops, of ``model``, ``missing`` and ``tools``;
            needs a checkpointer.
        interrupt_after: The same, behind them.
        name: The graph's, and that of its answers, by which several agents are told apart.
        max_repairs: As in ``recover``.
        max_identical_calls: As in ``recover``.
        handle_tool_errors: As in ``ToolNode``. True: an exception in a tool becomes an error
            ToolMessage, from which the model can go on; False: it ends the run.

    Returns:
        A compiled graph; ``invoke({"messages": [("human", "…")]})`` runs it.

    Raises:
        DuplicateFunctionError: Two different tools have one name.
        InvalidFunctionError: No tool can be made of one.
        UnknownToolError: A tool is a schema alone, with nothing that runs.
        UnsupportedOptionError: A bound is out of its range, the model has tools already or cannot
            have any, the tools are no list, the system prompt is no text, or the state has no
            messages.
    """
    check_bounds(max_repairs, max_identical_calls)
    node = _node(tools, handle_tool_errors)
    known = tools if isinstance(tools, ToolCatalog) else node.tools_by_name
    bound = _bound(model, known, _documents(tools if isinstance(tools, list | tuple) else ()))
    if isinstance(system_prompt, str):
        system_prompt = SystemMessage(system_prompt) if system_prompt else None
    if not isinstance(system_prompt, SystemMessage | None):
        raise UnsupportedOptionError(
            f"The system prompt is {system_prompt!r:.120}, of type {type(system_prompt).__name__}. "
            "Expected a text or a SystemMessage."
        )
    system = [] if system_prompt is None else [system_prompt]
    graph = _empty_graph(state_schema, context_schema)

    def prompt(state: MessagesState) -> list[BaseMessage]:
        return [*system, *state["messages"]]

    def named(message: BaseMessage) -> BaseMessage:
        is_own = name and isinstance(message, AIMessage)
        return message.model_copy(update={"name": name}) if is_own else message

    def follow(before: Sequence[BaseMessage], answer: AIMessage) -> dict[str, Any]:
        decided = recover(
            [*before, answer],
            max_repairs=max_repairs,
            max_identical_calls=max_identical_calls,
        )
        return {"messages": [*map(named, (answer, *decided.messages))]}

    def answered(state: MessagesState, answer: AIMessage) -> dict[str, Any]:
        if wants_interrupt(answer):
            # A node of its own: one that is resumed runs again, and must not ask the model again.
            return {"messages": [named(answer)]}
        return follow(state["messages"], answer)

    def call_model(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        return answered(state, bound().invoke(prompt(state), config))

    async def acall_model(state: MessagesState, config: RunnableConfig) -> dict[str, Any]:
        return answered(state, await bound().ainvoke(prompt(state), config))

    def ask_person(state: MessagesState) -> dict[str, Any]:
        *before, answer = state["messages"]
        assert isinstance(answer, AIMessage)
        return follow(before, answer_with_missing(answer))

    def after_tools(state: MessagesState) -> str:
        return END if _all_direct(state["messages"], known) else "model"

    # Each by its input's schema: a state of a dataclass or of Pydantic has no items.
    asks = RunnableLambda(call_model, acall_model)
    graph.add_node("model", asks, input_schema=MessagesState)
    graph.add_node("missing", ask_person, input_schema=MessagesState)
    graph.add_node("tools", node)
    graph.add_edge(START, "model")
    # Edges, not Commands: only by edges does an answer that ``update_state`` changed go on.
    for asking in ("model", "missing"):
        graph.add_conditional_edges(asking, _after_answer, ["model", "missing", "tools", END])
    # A catalog may get such a tool while the agent runs.
    if isinstance(known, ToolCatalog) or any(tool.return_direct for tool in known.values()):
        graph.add_conditional_edges("tools", after_tools, ["model", END])
    else:
        graph.add_edge("tools", "model")
    return graph.compile(
        checkpointer,
        store=store,
        interrupt_before=interrupt_before,
        interrupt_after=interrupt_after,
        name=name,
    )


def _empty_graph(
    state_schema: Any, context_schema: type[Any] | None
) -> StateGraph[Any, Any, Any, Any]:
    """Return a graph without nodes, over a state that is known to hold the conversation."""
    plain: StateGraph[Any, Any, Any, Any] = StateGraph(MessagesState, context_schema)
    if state_schema is None:
        return plain
    is_class = isinstance(state_schema, type)
    graph = StateGraph(state_schema, context_schema) if is_class else None
    if graph is None or graph.channels.get("messages") != plain.channels["messages"]:
        raise UnsupportedOptionError(
            f"state_schema={state_schema!r:.120} does not keep messages as LangGraph's "
            "MessagesState does. Derive yours from it: class State(MessagesState), or give it "
            "messages: Annotated[list[AnyMessage], add_messages]."
        )
    return graph


def _node(
    tools: Sequence[BaseTool | Callable[..., Any]] | ToolNode | ToolCatalog,
    handle_tool_errors: bool | str | Callable[..., str] | tuple[type[Exception], ...],
) -> ToolNode:
    """Return what runs the calls."""
    if isinstance(tools, ToolCatalog):
        return ToolNode(
            [],
            handle_tool_errors=handle_tool_errors,
            wrap_tool_call=tools.wrap_tool_call,
            awrap_tool_call=tools.awrap_tool_call,
        )
    if not isinstance(tools, ToolNode):
        if not isinstance(tools, list | tuple):
            raise UnsupportedOptionError(
                f"The tools are {tools!r:.120}, of type {type(tools).__name__}. Expected a list, a "
                "ToolNode or a ToolCatalog: put a single tool into brackets, [tool]."
            )
        node = ToolNode([*map(_tool, tools)], handle_tool_errors=handle_tool_errors)
        if len(node.tools_by_name) < len(tools):  # It keeps the last of a name.
            function_set(tools)  # Refuses two different ones; one that is given twice counts once.
        return node
    return tools


def _tool(given: Any) -> BaseTool:
    """Return what runs a tool; what LangGraph makes of a function gives None for ``**more``."""
    if isinstance(given, BaseTool):
        return given
    catalog = ToolCatalog([given])
    return catalog.executable(*catalog.names)


def _documents(tools: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """Return what a model reads of the functions in a list, the same as by ``bind_tools``."""
    functions = [each for each in tools if not isinstance(each, BaseTool)]
    return {each.name: _document(each) for each in function_set(functions).functions}


def _document(function: FunctionSchema) -> dict[str, Any]:
    return {"type": "function", "function": function.document()}


def _bound(
    model: Any,
    tools: Mapping[str, BaseTool] | ToolCatalog,
    documents: Mapping[str, Mapping[str, Any]],
) -> Callable[[], Runnable[LanguageModelInput, AIMessage]]:
    """Return what gives the model with its tools, those of a catalog as they are by then."""
    if not isinstance(tools, ToolCatalog):
        fixed = _bind(model, [documents.get(name, tool) for name, tool in tools.items()])
        return lambda: fixed

    def now() -> tuple[int, Runnable[LanguageModelInput, AIMessage]]:
        version = tools.version  # read first: what changes while it is bound is bound anew
        return version, _bind(model, [_document(tool.function) for tool in tools])

    held = now()

    def current() -> Runnable[LanguageModelInput, AIMessage]:
        nonlocal held
        # Version and model are taken as one, so that threads need no lock.
        if (taken := held)[0] != tools.version:
            held = taken = now()
        return taken[1]

    return current


def _bind(model: Any, offered: Sequence[Any]) -> Runnable[LanguageModelInput, AIMessage]:
    """Bind the tools to the model itself, so that what is bound around it stays."""
    if isinstance(model, DynamicRunnable):
        # Its own bind_tools would leave the default alone, whatever a config asks for.
        _bind(model.default, offered)  # at once, for its errors

        def bind(_: LanguageModelInput, config: RunnableConfig) -> Any:
            return _bind(model.prepare(config)[0], offered)

        return RunnableLambda(bind)
    if isinstance(model, RunnableWithFallbacks):
        others = [_bind(fallback, offered) for fallback in model.fallbacks]
        first = _bind(model.runnable, offered)
        return model.model_copy(update={"runnable": first, "fallbacks": others})
    if not isinstance(model, RunnableBindingBase):
        if not hasattr(model, "bind_tools"):
            raise UnsupportedOptionError(
                f"The model is {model!r:.120}, which has no bind_tools. Expected a chat model, such "
                "as ChatGorilla(model=…)."
            )
        bound: Runnable[LanguageModelInput, AIMessage] = model.bind_tools(offered)
        return bound
    if "tools" in model.kwargs:
        raise UnsupportedOptionError(
            "The model has tools bound to it, and create_tool_agent binds those that it runs. Pass "
            "the model without bind_tools(…), and tools= beside it."
        )
    return model.model_copy(update={"bound": _bind(model.bound, offered)})


def _all_direct(
    messages: Sequence[BaseMessage], tools: Mapping[str, BaseTool] | ToolCatalog
) -> bool:
    """Whether every call of the last answer ran and is of a tool that returns directly."""
    answer, results = last_answer(messages)
    if answer is None or not results:
        return False
    # A tool that makes its own ToolMessage may leave the name out.
    names = {call["id"]: call["name"] for call in answer.tool_calls}
    return all(
        # The model mends what was refused or failed.
        result.status != "error" and _is_direct(names.get(result.tool_call_id, ""), tools)
        for result in results
    )


def _is_direct(name: str, tools: Mapping[str, BaseTool] | ToolCatalog) -> bool:
    entry = tools.get(name)
    tool = entry.runs if isinstance(entry, CatalogTool) else entry
    return isinstance(tool, BaseTool) and tool.return_direct


def _after_answer(state: MessagesState) -> str | list[Send]:
    """Choose where an answer leads, with what ``recover`` put behind it."""
    answer, results = last_answer(state["messages"])
    if answer is None:
        return "model"  # A person said something behind it, by ``update_state``.
    if not results and wants_interrupt(answer):
        return "missing"
    # Named one by one: a ToolNode that is given the state runs refused calls too. And a task each:
    # where one call interrupts, the others are not run again, nor do they get its answer.
    refused = {result.tool_call_id for result in results}
    waiting = [Send("tools", [call]) for call in answer.tool_calls if call["id"] not in refused]
    return waiting or ("model" if results else END)

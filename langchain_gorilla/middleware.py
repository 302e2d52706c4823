"""Middleware for ``langchain.agents.create_agent``; needs the ``langchain`` extra.

``create_agent(model, tools, middleware=[ToolCallRepair()])``
"""

from typing import Any

try:
    from langchain.agents.middleware import AgentMiddleware, AgentState, hook_config
except ImportError as error:
    raise ImportError(
        "langchain_gorilla.middleware needs the langchain package: "
        "pip install 'langchain-gorilla[langchain]'. Without it, "
        "langchain_gorilla.create_tool_agent builds an agent with the same recovery."
    ) from error
from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from langchain_gorilla.recovery import recover


class ToolCallRepair(AgentMiddleware[AgentState[Any], Any, Any]):
    """Answers calls that cannot run with error ToolMessages, so that the model mends them.

    ``create_agent`` alone ends silently on a message that has only invalid calls, and runs the
    same call for ever if the model repeats it.

    Args:
        max_repairs: As in ``langchain_gorilla.recovery.recover``.
        max_identical_calls: As in ``langchain_gorilla.recovery.recover``.
    """

    def __init__(self, *, max_repairs: int = 2, max_identical_calls: int = 3) -> None:
        super().__init__()
        self.max_repairs = max_repairs
        self.max_identical_calls = max_identical_calls

    @hook_config(can_jump_to=["model", "end"])
    def after_model(self, state: AgentState[Any], runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Refuse what cannot run, and choose where the agent goes on."""
        if not isinstance(state["messages"][-1], AIMessage):
            return None  # create_agent itself answered a structured-output call
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

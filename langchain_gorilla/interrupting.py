"""Stops a graph until a person has named what nobody named; for the graph and the middleware."""

from langchain_core.messages import AIMessage
from langgraph.types import interrupt

from langchain_gorilla.missing import UnusableAnswerError, interrupt_payload, resumed


def answer_with_missing(answer: AIMessage) -> AIMessage:
    """Interrupt the graph until it has usable values, and return the answer with them.

    For a node between the model and the tools. The node runs again from its beginning when it is
    resumed, so nothing that costs may stand before this call.

    Args:
        answer: One that ``missing.wants_interrupt``.
    """
    problem = None
    while True:
        given = interrupt(interrupt_payload(answer, problem))
        try:
            return resumed(answer, given)
        except UnusableAnswerError as error:
            problem = str(error)

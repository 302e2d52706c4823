"""An agent that was written for ChatOpenAI, with one line changed.

Runs with or without langchain's create_agent; python examples/02_swap_chat_openai.py
"""

from langchain_core.tools import tool

# from langchain_openai import ChatOpenAI
# model = ChatOpenAI(model="gpt-4o-mini", temperature=0)
from langchain_gorilla import ChatGorilla

model = ChatGorilla(model="bundled", temperature=0)


@tool
def convert_currency(amount: float, source: str, target: str) -> str:
    """Convert an amount of money from one currency to another.

    Args:
        amount: How much.
        source: Currency code to convert from.
        target: Currency code to convert to.
    """
    rates = {"USD": 1.0, "EUR": 0.92, "GBP": 0.79}
    return f"{amount * rates[target] / rates[source]:.2f} {target}"


def main() -> None:
    question = "Convert 250 USD to EUR."
    answer = model.bind_tools([convert_currency]).invoke(question)
    print("calls:", answer.tool_calls)
    print("usage:", answer.usage_metadata)

    try:
        from langchain.agents import create_agent

        from langchain_gorilla.middleware import ToolCallRepair
    except ImportError:
        from langchain_gorilla import create_tool_agent

        agent = create_tool_agent(model, [convert_currency])
    else:
        agent = create_agent(model, [convert_currency], middleware=[ToolCallRepair()])
    for message in agent.invoke({"messages": [("human", question)]})["messages"]:
        message.pretty_print()


if __name__ == "__main__":
    main()

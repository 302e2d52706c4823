"""A conversation over several turns, kept by a LangGraph checkpointer.

python examples/06_checkpointer.py
"""

from langgraph.checkpoint.memory import InMemorySaver

from langchain_gorilla import ChatGorilla, create_tool_agent

ORDERS = {"A-1042": "shipped on Monday", "A-1043": "waiting for payment"}


def get_order_status(order_id: str) -> str:
    """Get the status of an order.

    Args:
        order_id: Number of the order.
    """
    return ORDERS.get(order_id, f"no order {order_id}")


def main() -> None:
    agent = create_tool_agent(
        ChatGorilla(model="bundled", max_tokens=200),
        [get_order_status],
        checkpointer=InMemorySaver(),
    )
    thread = {"configurable": {"thread_id": "customer-7"}}
    for question in ("What is the status of order A-1042?", "And order A-1043?"):
        result = agent.invoke({"messages": [("human", question)]}, thread)
        print(f"> {question}\n{result['messages'][-1].text}\n")
    print(len(agent.get_state(thread).values["messages"]), "messages are kept in this thread")


if __name__ == "__main__":
    main()

"""Many questions at once, and many tool calls at once, from asyncio.

python examples/05_async_fan_out.py
"""

import asyncio
import time

from langchain_gorilla import ChatGorilla, create_tool_agent

CITIES = ["Oslo", "Cairo", "Quito", "Hanoi", "Perth"]


async def get_weather(city: str) -> str:
    """Get the current weather for a city.

    Args:
        city: Name of the city.
    """
    await asyncio.sleep(0.5)
    return f"20 C in {city}"


async def main() -> None:
    agent = create_tool_agent(ChatGorilla(model="bundled", max_tokens=200), [get_weather])
    start = time.perf_counter()

    async def ask(city: str) -> None:
        state = {"messages": [("human", f"What is the weather in {city}?")]}
        result = await agent.ainvoke(state)
        print(f"{time.perf_counter() - start:5.2f} s  {city}: {result['messages'][-1].text}")

    # One engine answers one caller after another; while a tool waits, the next caller is served.
    await asyncio.gather(*(ask(city) for city in CITIES))


if __name__ == "__main__":
    asyncio.run(main())

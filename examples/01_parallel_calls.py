"""A LangGraph agent on the bundled model: one question, two calls at once, one answer.

python examples/01_parallel_calls.py ["your question about the weather"]
"""

import sys
import threading
import time

from langchain_gorilla import ChatGorilla, create_tool_agent

FORECASTS = {"paris": "18 C and cloudy", "tokyo": "26 C and sunny", "lima": "21 C and foggy"}
start = time.perf_counter()


def say(text: str) -> None:
    # One write a line: the tools speak from threads of their own.
    print(f"{time.perf_counter() - start:6.2f} s  {text}\n", end="", flush=True)


def get_weather(city: str) -> str:
    """Get the current weather for a city.

    Args:
        city: Name of the city.
    """
    say(f"    {city}: asked, in {threading.current_thread().name}")
    time.sleep(0.5)  # A slow weather service: two calls side by side take half a second, not one.
    say(f"    {city}: answered")
    return FORECASTS.get(city.lower(), f"no forecast for {city}")


def main() -> None:
    question = " ".join(sys.argv[1:]) or "What is the weather in Paris and in Tokyo?"
    agent = create_tool_agent(ChatGorilla(model="bundled", max_tokens=200), [get_weather])
    say(f"question: {question}")
    for update in agent.stream({"messages": [("human", question)]}, stream_mode="updates"):
        for message in (update.get("model") or {}).get("messages", ()):
            for call in getattr(message, "tool_calls", ()):
                arguments = ", ".join(f"{name}={value!r}" for name, value in call["args"].items())
                say(f"call:     {call['name']}({arguments})")
            if message.type == "ai" and not message.tool_calls:
                say(f"answer:   {message.text}")


if __name__ == "__main__":
    main()

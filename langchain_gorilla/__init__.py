"""Tool calling with local Gorilla models for LangChain and LangGraph.

Importing this package loads neither torch nor transformers; weights load at the first call.
"""

from langchain_gorilla.chat_models import ChatGorilla
from langchain_gorilla.engines.scripted import ScriptedEngine
from langchain_gorilla.formats.base import PromptFormat
from langchain_gorilla.graph import create_tool_agent

__all__ = ["ChatGorilla", "PromptFormat", "ScriptedEngine", "create_tool_agent"]

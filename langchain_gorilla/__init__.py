"""Tool calling with local Gorilla models for LangChain and LangGraph."""

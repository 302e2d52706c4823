"""Prompt to a stream of text, one file per engine."""

"""Messages and functions to prompt text, one file per model family."""

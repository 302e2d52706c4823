"""Text to calls; never evaluates model output."""

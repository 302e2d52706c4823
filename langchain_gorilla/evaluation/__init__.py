"""Evaluation that anyone can rerun: APIBench, BFCL, abstention, and reports about them."""

"""Functions and a call syntax become a grammar: which tokens may come next."""

"""The front door: the vocabulary of workflows and the pure functions that read them."""

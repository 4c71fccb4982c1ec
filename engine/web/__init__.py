"""The HTTP service. It parses, asks a use case and writes the answer: nothing is decided here."""

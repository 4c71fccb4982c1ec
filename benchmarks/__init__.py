"""How fast the engine is, against the floor of the same run; `python -m benchmarks`."""

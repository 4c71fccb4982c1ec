"""The protocols that come with the engine, each one a value and nothing else."""

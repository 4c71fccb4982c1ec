"""The pure half: values in, values out; no clock, no database, no randomness."""

"""What an auditor takes along: one file that needs nothing of this package, and no module of it."""

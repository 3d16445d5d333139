"""Scenarios: a process is run through in memory, with no effect on anything, and compared with what was expected."""

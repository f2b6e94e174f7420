"""Cheap measures of the signal, twice a second, on the one decode pass."""

"""Stalls as others tell them: P.1203 documents, logs of players, tables."""

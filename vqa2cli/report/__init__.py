"""Turns assessments into records, files, tables and sentences."""

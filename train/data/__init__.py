"""Instruction sets: from label tables and media to the authors' JSON, and back."""

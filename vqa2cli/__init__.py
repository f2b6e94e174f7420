"""vqa2: no-reference video quality scores, stalls and diagnostics."""

__version__ = "0.1.0"

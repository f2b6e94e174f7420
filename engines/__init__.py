"""Engines that run one graph: named numpy arrays in, named numpy arrays out."""

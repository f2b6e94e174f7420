"""Instruction training at any size: the paper's stages as recipes over conversations."""

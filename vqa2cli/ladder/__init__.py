"""Bitrate ladders: renditions of one title, what is wrong with them, and whether they may ship.

grouping ▶ scoring ▶ checks ▶ curve, advice, BD-rate ▶ record
"""

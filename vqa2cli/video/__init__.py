"""Video in, events out: find files, open them safely, decode them once.

`discover` names the files, `probe` opens them behind every guard, `decode` makes one pass
that feeds key frames, motion frames and the stall track, and `worker` runs that pass in
child processes. Nothing is imported here, so that help stays fast.
"""

"""Q-Bench-Video: questions on the quality of clips, answered, judged and counted."""

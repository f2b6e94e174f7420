"""Training and evaluation, built on the inference code of `vqa2cli`."""

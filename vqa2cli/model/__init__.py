"""The models: the network, its weights, its prompts, and the assembled whole that scores."""

"""The assistant of the embedded model: what it is taught to say, and how right it is."""

"""Rules over report records: what may ship, and what may not."""

"""Examples from texts: tokens, positions found in them, answers in words. No transformers here."""

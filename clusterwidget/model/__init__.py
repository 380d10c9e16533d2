"""Model: how a model is read. Hooks, recording, capture and the logit lens."""

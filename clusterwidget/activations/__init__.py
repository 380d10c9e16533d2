"""Activations: stage matrices, wherever they come from: captured, given or read."""

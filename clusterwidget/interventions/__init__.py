"""Interventions: does the model itself treat near examples alike, and what carries an answer.

Swaps, ablation and the trace of an answer: a name for a stage is a hypothesis until they agree.
"""

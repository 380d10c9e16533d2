"""Interventions: what happens when something inside a model is changed."""

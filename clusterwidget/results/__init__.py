"""Results: what interventions return. No torch, so that saved results open without it."""

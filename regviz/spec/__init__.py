"""Frozen values that determine a run, and the checks of them."""

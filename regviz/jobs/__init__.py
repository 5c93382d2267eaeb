"""Trainings in the background, shared by all visitors."""

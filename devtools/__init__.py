"""Servers and browsers for tests and benchmarks."""

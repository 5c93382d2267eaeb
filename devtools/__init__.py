"""Servers and browsers for tests and benchmarks, and screenshots for developers."""

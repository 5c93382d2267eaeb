"""Benchmarks. Each prints a table of times or ratios measured in one run."""

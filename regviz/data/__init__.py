"""Datasets: generated, drawn, or read from tables; and their export as CSV."""

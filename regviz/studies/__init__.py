"""Studies: many experiments, each with many methods, strengths and seeds, and one table."""

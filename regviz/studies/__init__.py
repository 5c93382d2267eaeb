"""Studies: one experiment over grids of settings, methods, strengths and seeds."""

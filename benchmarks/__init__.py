"""What RegViz costs, as tables of ratios measured in one run."""

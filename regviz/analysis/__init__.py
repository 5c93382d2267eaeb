"""Analyses of trained networks: paths, forces, uncertainty, comparison, several seeds."""

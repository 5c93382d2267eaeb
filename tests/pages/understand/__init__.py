"""Tests of the views below the board."""

"""The views below the board: why, how much, and how to do it oneself."""

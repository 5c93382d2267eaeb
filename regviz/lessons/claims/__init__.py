"""The claims of the lessons: one module for each lesson, whose functions `claim` decorates."""

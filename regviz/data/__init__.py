"""Points: toy datasets, tables from files, drawn ones, and points as files for others."""

"""The catalogue of regularizers: names, colours and offered strengths."""

"""The catalogue of regularizers: names, colours and the strengths that are offered."""

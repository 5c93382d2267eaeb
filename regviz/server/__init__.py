"""The server around the page: admission, limits, headers, files, logs, metrics, maintenance."""

"""Content for the browser's board: strength grid, scene, link, encoding, offline page."""

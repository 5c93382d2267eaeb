"""The browser's recording: the grid of strengths, scene, link, encoding, offline page."""

"""The Streamlit scripts of the pages: the playground with sidebar, board, views; the course."""

from pathlib import Path

SCRIPT = Path(__file__).with_name("site.py")  # the script that Streamlit runs for a visitor

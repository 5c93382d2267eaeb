"""The Streamlit scripts of the page: sidebar, board, views."""

from pathlib import Path

SCRIPT = Path(__file__).with_name("playground.py")  # the script that Streamlit runs for a visitor

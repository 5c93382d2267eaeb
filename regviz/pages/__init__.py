"""The Streamlit scripts: what a visitor sees."""

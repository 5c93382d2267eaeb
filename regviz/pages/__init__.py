"""The Streamlit scripts of the page: sidebar, board, views."""

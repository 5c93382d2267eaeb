"""What a server needs besides the page: limits, admission, housekeeping."""

"""Health check of the container: exit with an error unless the server responds with status 200.

Docker runs it every 30 s, so it imports little.
"""

import http.client
import os
import sys


def main() -> None:
    """Request ``/_stcore/health`` at the port and base path of Streamlit's variables."""
    port = int(os.environ.get("STREAMLIT_SERVER_PORT", "8501"))
    path = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", f"/{path}/_stcore/health".replace("//", "/"))
        answer = connection.getresponse()
    except OSError as error:
        sys.exit(f"no answer at port {port}: {error}")
    if answer.status != 200:
        sys.exit(f"status {answer.status} at port {port}")


if __name__ == "__main__":
    main()

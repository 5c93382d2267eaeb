"""Health check of a container: exit with an error unless its server responds with status 200.

Without arguments the server is the page's, at the port and base path of Streamlit's variables;
``health.py 8787 /health`` asks a scheduler of Dask. Docker runs it every few seconds, so it imports
little.
"""

import http.client
import os
import sys


def main() -> None:
    """Request the health check of the server."""
    if len(sys.argv) > 1:
        port, path = int(sys.argv[1]), sys.argv[2]
    else:
        port = int(os.environ.get("STREAMLIT_SERVER_PORT", "8501"))
        base = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
        path = f"/{base}/_stcore/health".replace("//", "/")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
    except OSError as error:
        sys.exit(f"no answer at port {port}: {error}")
    if answer.status != 200:
        sys.exit(f"status {answer.status} at port {port}")


if __name__ == "__main__":
    main()

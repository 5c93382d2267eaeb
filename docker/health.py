"""Ask the server in this container whether it is well: ends with an error if it is not.

It is run every half minute, so it imports little.
"""

import http.client
import os
import sys


def main() -> None:
    """Ask at the port, and below the path, that Streamlit's variables name."""
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

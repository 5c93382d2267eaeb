# Build stage: the image copies only the virtual environment from it.
FROM python:3.11-slim AS build

RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils

# only packages of the lock files, with matching hashes; slim.py writes the bytecode
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_PYTHON=/venv/bin/python \
    PIP_REQUIRE_HASHES=1 \
    PIP_NO_DEPS=1 \
    PIP_COMPILE=0

# Optional package index with CPU builds of torch. Only files whose hashes are in the lock files are
# installed from it.
ARG EXTRA_INDEX_URL=""

WORKDIR /build
COPY docker/*.lock ./
RUN python -m venv --without-pip /venv \
    && pip install --requirement requirements.lock
RUN if pip install ${EXTRA_INDEX_URL:+--extra-index-url "$EXTRA_INDEX_URL"} --requirement torch-cpu.lock; then :; \
    elif [ -n "$EXTRA_INDEX_URL" ]; then echo "EXTRA_INDEX_URL: no such build of torch there"; exit 1; \
    else echo "Taking torch's build for GPUs, with gigabytes of libraries that it does not start without" \
    && pip install --requirement torch-gpu.lock; fi \
    && pip check

COPY docker/slim.py .
RUN /venv/bin/python slim.py


FROM python:3.11-slim

LABEL org.opencontainers.image.title="RegViz" \
      org.opencontainers.image.description="What regularization does to a neural network, live" \
      org.opencontainers.image.version="0.2.0" \
      org.opencontainers.image.licenses="MIT"

RUN useradd --no-log-init --no-create-home --uid 10001 regviz
COPY --from=build /venv /venv

WORKDIR /regviz
COPY LICENSE .
COPY docker/health.py docker/health.py
COPY .streamlit .streamlit
COPY assets assets
COPY regviz regviz
COPY app.py .
# bytecode and Numba's compiled training code, so that the first visitor waits for no compiler
RUN python -m compileall -q --invalidation-mode unchecked-hash regviz app.py \
    && /venv/bin/python -c "from regviz.engine.compiled import prepare; prepare()"

# The server writes only temporary files, so `docker run --read-only --tmpfs /tmp` works too.
# Without STREAMLIT_BROWSER_SERVER_ADDRESS, Streamlit asks a server on the internet for its address.
ENV PATH=/venv/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 \
    MALLOC_ARENA_MAX=2 \
    STREAMLIT_BROWSER_SERVER_ADDRESS=localhost \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501
USER regviz

EXPOSE 8501
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-I", "-S", "/regviz/docker/health.py"]
CMD ["streamlit", "run", "app.py"]

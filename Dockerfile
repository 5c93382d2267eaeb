# What is installed here, and stripped, is all that the image takes from this stage.
FROM python:3.11-slim AS build

RUN apt-get update \
    && apt-get install --yes --no-install-recommends binutils

# nothing but what the files name, by its hash; compiled later
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PIP_PYTHON=/venv/bin/python \
    PIP_REQUIRE_HASHES=1 \
    PIP_NO_DEPS=1 \
    PIP_COMPILE=0

# An index with small CPU builds of torch, for builders that have one at hand. Whatever it offers,
# only files whose hashes are written down are installed.
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
# bytecode, and the code that trains, so that no visitor waits for a compiler
RUN python -m compileall -q --invalidation-mode unchecked-hash regviz app.py \
    && /venv/bin/python -c "from regviz.engine.compiled import prepare; prepare()"

# Nothing is written but temporary files: `docker run --read-only --tmpfs /tmp` serves as well. And
# nobody is asked: without a name of its own, Streamlit asks on the internet for its address.
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

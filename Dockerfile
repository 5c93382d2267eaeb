FROM python:3.11-slim

# An index with small CPU builds of torch, for builders that have one at hand.
ARG EXTRA_INDEX_URL=""

ENV PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /regviz
COPY requirements.txt .
RUN pip install ${EXTRA_INDEX_URL:+--extra-index-url "$EXTRA_INDEX_URL"} --requirement requirements.txt

COPY .streamlit .streamlit
COPY assets assets
COPY regviz regviz
COPY app.py .

RUN useradd --create-home regviz
USER regviz

EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8501/_stcore/health')"]
CMD ["streamlit", "run", "app.py", "--server.port=8501", "--server.address=0.0.0.0"]

# One image for the site, the worker and every command. Build it behind a package mirror with
#   docker build --build-arg PIP_INDEX_URL=https://mirror.example.com/simple --build-arg BASE=registry.example.com/python:3.12-slim .
ARG BASE=docker.io/library/python:3.12-slim-bookworm

# Stage 1: everything of uv.lock, by its hashes, into one folder. `make install` does the same.
FROM ${BASE} AS build
ARG PIP_INDEX_URL=
ARG UV_VERSION=0.13.9
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_NO_CACHE=1 UV_LINK_MODE=copy PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv/wxhub
COPY pyproject.toml uv.lock ./
RUN if [ -z "$PIP_INDEX_URL" ]; then unset PIP_INDEX_URL; else export UV_DEFAULT_INDEX="$PIP_INDEX_URL"; fi \
    && python -m venv /tmp/uv && /tmp/uv/bin/python -m pip install --quiet "uv==$UV_VERSION" \
    && python -m venv --without-pip .venv \
    && /tmp/uv/bin/uv export --quiet --frozen --no-dev --all-extras --no-emit-project --output-file /tmp/requirements.txt \
    && /tmp/uv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes --compile-bytecode -r /tmp/requirements.txt
COPY . .
# Collected and compressed once. It needs no secret: in development settings the site starts without any.
RUN DEBUG=true .venv/bin/python -W ignore manage.py collectstatic --noinput -v0 \
    && .venv/bin/python -m compileall -q wxhub orders wechat

# Stage 2: what runs. pg_dump and pg_restore are for `manage.py backup` and `restore`.
FROM ${BASE}
ARG APT_MIRROR=
# hadolint ignore=DL3008
RUN if [ -n "$APT_MIRROR" ]; then sed -i "s|http://deb.debian.org|$APT_MIRROR|" /etc/apt/sources.list.d/debian.sources; fi \
    && apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 wxhub && useradd --uid 10001 --gid wxhub --no-create-home --home-dir /data wxhub \
    && install -d -o wxhub -g wxhub -m 0700 /data /data/media /data/spool /data/backups
COPY --from=build /srv/wxhub /srv/wxhub
WORKDIR /srv/wxhub
# The code belongs to root and is never written; everything that changes is in /data.
ENV PATH=/srv/wxhub/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DEBUG=false \
    DATABASE_URL=sqlite:////data/wxhub.sqlite3 MEDIA_ROOT=/data/media SPOOL_DIR=/data/spool TMPDIR=/tmp
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=20s --retries=3 CMD ["python", "-c", \
    "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=3)"]
CMD ["granian", "--interface", "wsgi", "wxhub.wsgi:application", "--host", "0.0.0.0", "--port", "8000", \
    "--workers", "2", "--blocking-threads", "16", "--workers-kill-timeout", "8", "--respawn-failed-workers"]

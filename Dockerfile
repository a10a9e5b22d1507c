# docker build -t commentsvc .                     docs/serving.md, "In a container"
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
WORKDIR /source
RUN python -m venv /opt/commentsvc
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY migrations migrations
COPY commentsvc commentsvc
# The drivers of PostgreSQL and Redis are small; without them their owners would need an image of their own.
ARG EXTRAS=postgresql,redis
RUN /opt/commentsvc/bin/pip install --no-cache-dir --disable-pip-version-check \
      ".[${EXTRAS}]" -c constraints.txt \
    && /opt/commentsvc/bin/pip uninstall --yes --quiet pip

FROM python:${PYTHON}-slim
COPY --from=build /opt/commentsvc /opt/commentsvc
# Group 0 may write to it: OpenShift runs the container as any user, of group 0.
RUN install -d -m 0770 -o 10001 -g 0 /data
ENV PATH=/opt/commentsvc/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MALLOC_ARENA_MAX=1 \
    COMMENTSVC_DATA_DIR=/data
VOLUME /data
WORKDIR /data
USER 10001:0
EXPOSE 8600
# /embed.js needs no database: a container whose database is down goes on serving the pages in memory.
HEALTHCHECK --interval=10s --timeout=20s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client as c; h = c.HTTPConnection('127.0.0.1', 8600, timeout=15); h.request('GET', '/embed.js'); exit(h.getresponse().status != 200)"]
ENTRYPOINT ["commentsvc"]
CMD ["serve", "--bind", "0.0.0.0:8600"]

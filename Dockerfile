# The Python that the tests run on.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/jobengine \
 && /opt/jobengine/bin/python -m pip install --require-hashes --requirement requirements.lock \
 && python -m pip install --require-hashes --requirement requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY jobengine jobengine
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/jobengine/bin/python -m pip install --no-deps --no-index dist/*.whl

FROM python:3.11-slim-bookworm
COPY --from=build /opt/jobengine /opt/jobengine
# A volume that is made new takes its owner from here.
RUN install --directory --owner=6010 --group=6010 --mode=0700 /jobengine
ENV PATH=/opt/jobengine/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER 6010:6010
WORKDIR /jobengine
VOLUME /jobengine
EXPOSE 6010
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:6010/livez', timeout=2)"]
ENTRYPOINT ["jobengine"]
CMD ["serve", "--host", "0.0.0.0", "--port", "6010"]

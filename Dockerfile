# The image of web, workers and beat; what each of them does is its command (compose.yaml, deploy/k8s).
# `python3 deploy/steps.py FOLDER` runs the stages `build` and `run` in a folder, for machines without a builder.

FROM python:3.11-slim-bookworm AS system
# Chinese in charts; pg_dump for backups, of the version that compose.yaml has.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends fonts-noto-cjk postgresql-client \
    && rm -rf /var/lib/apt/lists/*

FROM system AS build
ARG ROOT=/srv
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR $ROOT/momo
RUN python3 -m venv $ROOT/venv
COPY requirements/base.txt requirements/
RUN $ROOT/venv/bin/pip install --quiet --require-hashes --only-binary :all: -r requirements/base.txt
COPY . .
# Settings of production want secrets and servers; nothing here uses or keeps these.
RUN SECRET_KEY=$($ROOT/venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
    MOMO_ENV=production ALLOWED_HOSTS=build.invalid STATIC_ROOT=$ROOT/static \
    DATABASE_URL=postgresql://build.invalid/momo REDIS_URL=redis://build.invalid \
    $ROOT/venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && $ROOT/venv/bin/python -m compileall -q .

FROM system AS run
ARG ROOT=/srv
ENV PATH=$ROOT/venv/bin:$PATH MOMO_ENV=production DJANGO_SETTINGS_MODULE=momo.settings
ENV STATIC_ROOT=$ROOT/static MEDIA_ROOT=$ROOT/media MPLCONFIGDIR=/tmp/matplotlib PYTHONUNBUFFERED=1
ENV WORKER_HEARTBEAT_FILE=/tmp/heartbeat
# 50 threads for generations of copy (AI_MAX_STREAMS) and 8 for everything else. WEB_CONCURRENCY: processes.
ENV GUNICORN_CMD_ARGS="--bind=0.0.0.0:8000 --threads=58" WEB_CONCURRENCY=2
WORKDIR $ROOT/momo
COPY --from=build $ROOT/venv $ROOT/venv
COPY --from=build $ROOT/static $ROOT/static
COPY --from=build $ROOT/momo $ROOT/momo
# The only folder that is written to, beside /tmp; a volume, or a claim that web and workers share.
RUN install --directory --owner 10001 --group 10001 $ROOT/media
USER 10001:10001
EXPOSE 8000
CMD ["gunicorn", "momo.wsgi"]

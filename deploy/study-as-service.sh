#!/bin/sh
# usage: study VERB ...   (as root; installed as /usr/local/bin/study)
# Runs a command with the settings and under the account of the service: what it writes belongs to that account, and the
# service can read it.
set -eu
settings=/etc/study/study.env
home=/srv/study
if [ "$(id -un)" != study ]; then
    exec runuser -u study -- "$0" "$@"
fi
umask 077
set -a
. "$settings"
set +a
cd "$home"
exec "$home/study-app/.venv/bin/study" "$@"

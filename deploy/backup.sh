#!/bin/sh
# usage: backup.sh STUDY FOLDER [KEEP_DAYS]
# Makes a backup named after the moment, and removes those that are older than so many days (30 unless given): a backup
# holds what was erased after it was made, so it must not be kept for longer than the consent page says.
set -eu
study=$1 folder=$2 keep=${3:-30}
umask 077
mkdir -p "$folder"
"$study" backup "$folder/study-$(date -u +%Y%m%dT%H%M%SZ).zip"
find "$folder" -maxdepth 1 -name 'study-*.zip' -mtime "+$keep" -delete

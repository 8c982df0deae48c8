#!/bin/sh
# usage: backup.sh STUDY FOLDER [KEEP_DAYS]
# Removes backups that are older than so many days (30 unless given), then makes one named after the moment: a backup
# holds what was erased after it was made, so it must not be kept for longer than the consent page says, also while none
# can be made. Of those older than two days the first of each day stays.
set -eu
study=$1 folder=$2 keep=${3:-30}
umask 077
mkdir -p "$folder"
find "$folder" -maxdepth 1 -name 'study-*.zip' -mmin "+$((keep * 1440))" -delete
find "$folder" -maxdepth 1 -name 'study-????????T??????Z.zip' -mmin +2880 | sort |
    awk '{ day = substr($0, length($0) - 19, 8); if (day == last) print; last = day }' |
    while IFS= read -r copy; do rm -f -- "$copy"; done
"$study" backup "$folder/study-$(date -u +%Y%m%dT%H%M%SZ).zip"

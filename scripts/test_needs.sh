#!/bin/sh
# The browser tests need a Chromium or Chrome: Debian's as root, else an installed one, else Playwright's own. Of Debian's
# the tests drive the one without a window, which takes a third less time; `study simulate --browser` the whole one.
set -eu
has() { command -v "$1" >/dev/null 2>&1; }
has chromium && has chromium-headless-shell && exit 0
if [ "$(id -u)" = 0 ] && has apt-get; then
    echo "installing chromium for the browser tests" >&2
    apt-get update -qq || echo "the list of packages could not be read anew" >&2
    for wanted in "chromium chromium-headless-shell" chromium; do
        # Releases of Debian before the one without a window have the whole Chromium only.
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted fonts-dejavu-core >/dev/null && exit 0
    done
fi
for name in chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable; do
    has "$name" && exit 0
done
[ -d "/Applications/Google Chrome.app" ] && exit 0
echo "installing Playwright's Chromium for the browser tests" >&2
.venv/bin/python -m playwright install chromium

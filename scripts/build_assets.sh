#!/bin/sh
# Builds the participant's page components from study_app/ui/components/frontend. Needs Node.js and npm.
# usage: build_assets.sh [OUTPUT_DIRECTORY]   (default: the directory that is committed and served)
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
frontend=$root/study_app/ui/components/frontend
output=${1:-$root/study_app/ui/components/assets}
command -v npm >/dev/null || { echo "build_assets.sh: npm is missing; install Node.js 20 or newer" >&2; exit 2; }

# Outside the package: a node_modules inside it would be packed into wheels.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$frontend/." "$work"
cd "$work"
npm ci --ignore-scripts --no-audit --no-fund --silent
npm run --silent check
mkdir -p "$output"
npm run --silent build -- "$output"

#!/usr/bin/env bash
# Writes requirements.lock from pyproject.toml: every version, for Python 3.11 on Linux. Called by `make lock`, with
# pip-compile on the PATH. Arguments go to pip-compile (--upgrade, --upgrade-package NAME).
#
# The lock must serve every machine, so what belongs to one is taken out: index addresses, torch's "+cpu" (the version is
# the same, the build is the index's choice), and the CUDA packages that PyPI's build of torch asks for by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

new=$(mktemp)
trap 'rm -f "$new"' EXIT
# Starting from the present lock keeps its versions where they still fit: only what must change does.
if [ -e requirements.lock ]; then cp requirements.lock "$new"; fi

CUSTOM_COMPILE_COMMAND="make lock" pip-compile --quiet --output-file "$new" \
    --extra notebook --extra grader --extra dev \
    --strip-extras --allow-unsafe --annotation-style line --no-emit-options "$@" pyproject.toml

sed -E -e 's/^(torch==[^+ ]+)\+cpu/\1    /' -e 's/^(torch==[^+ ]+)\+[A-Za-z0-9.]+/\1/' \
    -e '/^(nvidia-|cuda-|triton)/d' -e 's/[[:space:]]+$//' "$new" > requirements.lock
echo "requirements.lock: $(grep -c '==' requirements.lock) packages"

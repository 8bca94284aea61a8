#!/usr/bin/env bash
# Sees to it that what pip cannot install is here. Usage: scripts/system_packages.sh NEED...
#
#   bubblewrap   the sandbox that students' code runs in; asked for on Linux only, the one system that can have it
#   chromium     the browser of the end-to-end tests
#   venv         $PYTHON (python3.11 unless set) with the means to make virtual environments
#
# Says nothing and takes no time when all is here. Otherwise: as root on Debian or Ubuntu it installs what is missing
# with apt-get; elsewhere it prints the line that does, and exits 1. It exits 2 on a need that it does not know.
set -euo pipefail

python=${PYTHON:-python3.11}

is_here() {
    case $1 in
        bubblewrap) [ "$(uname -s)" != Linux ] || command -v bwrap > /dev/null ;;
        # Ubuntu's command has the longer name.
        chromium) command -v chromium > /dev/null || command -v chromium-browser > /dev/null ;;
        # Debian's python3.11 has the module venv but not ensurepip, without which it makes no environment.
        venv) "$python" -c 'import ensurepip, venv' 2> /dev/null ;;
        *)
            echo "system_packages.sh: unknown need '$1'; it knows bubblewrap, chromium and venv" >&2
            exit 2
            ;;
    esac
}

is_ubuntu() { grep -qs '^ID=ubuntu' /etc/os-release; }

package_of() {
    case $1 in
        bubblewrap) echo bubblewrap ;;
        chromium) if is_ubuntu; then echo chromium-browser; else echo chromium; fi ;;
        venv) echo "$(basename "$python")-venv" ;;
    esac
}

purpose_of() {
    case $1 in
        bubblewrap) echo "bubblewrap, the sandbox that students' code runs in" ;;
        chromium) echo "chromium, the browser of the end-to-end tests" ;;
        venv) echo "$python with venv and ensurepip, to make .venv" ;;
    esac
}

missing=()
packages=()
for need in "$@"; do
    if ! is_here "$need"; then
        missing+=("$need")
        packages+=("$(package_of "$need")")
    fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

by_hand="apt-get install ${packages[*]}"
if command -v apt-get > /dev/null && [ "$(id -u)" -eq 0 ]; then
    echo "set-up: installing system packages: ${packages[*]}"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    export DEBIAN_FRONTEND=noninteractive
    # The installation decides: an update also fails when some other source of this machine is out of reach.
    if ! { apt-get update -qq; apt-get install -y -qq --no-install-recommends "${packages[@]}"; } > "$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "set-up: apt-get could not install: ${packages[*]} (its last lines are above)" >&2
        exit 1
    fi
    hash -r
    for need in "${missing[@]}"; do
        if ! is_here "$need"; then
            echo "set-up: apt-get succeeded, and yet this is missing: $(purpose_of "$need")" >&2
            exit 1
        fi
    done
    exit 0
fi

for need in "${missing[@]}"; do
    echo "set-up: missing on this machine: $(purpose_of "$need")" >&2
done
if command -v apt-get > /dev/null; then
    echo "set-up: install it with this line, then try again:  sudo $by_hand" >&2
else
    echo "set-up: install it with this system's package manager, then try again (on Debian: sudo $by_hand)" >&2
fi
exit 1

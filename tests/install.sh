# shellcheck shell=bash
# What the tests need and a machine may lack. Sourced by `.ci/run` and by the scripts `tests/*/run`.

# A download that stands still is begun again soon, and not after minutes.
export PIP_DEFAULT_TIMEOUT=15 PIP_RETRIES=5 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1
export npm_config_fetch_timeout=15000 npm_config_fetch_retries=5 npm_config_fetch_retry_mintimeout=1000
export npm_config_fetch_retry_maxtimeout=10000
export CARGO_HTTP_TIMEOUT=15 CARGO_NET_RETRY=5
# Node brings certificate authorities of its own: those of the machine count as well, as they do for the others.
export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}

# step WORDS...: what comes next, and when it began.
step() { echo "== $(date +%T) $*"; }

# install PACKAGE:WHAT...: each Debian package of which WHAT is missing, a program or a path.
install() (
    missing=()
    for pair; do
        command -v "${pair#*:}" >/dev/null || [ -e "${pair#*:}" ] || missing+=("${pair%%:*}")
    done
    [ ${#missing[@]} -gt 0 ] || exit 0
    step "installing ${missing[*]}"
    # A package that would start its daemon asks this script first: the tests start their own.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    # Some disks take a minute to sync the files of a hundred packages, one by one.
    with=(-o Acquire::http::Timeout=15 -o Acquire::Retries=5 -o Dpkg::Options::=--force-unsafe-io)
    apt-get update -q "${with[@]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${with[@]}" "${missing[@]}"
)

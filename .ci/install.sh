# Sourced by run and test: what is there, what is missing, how it is installed and built.
# shellcheck shell=bash

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1

# Where the launcher looks too: a short PATH has no sbin, and Debian keeps PostgreSQL's programs out of it.
program() {
  PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" command -v "$1" > /dev/null 2>&1 || compgen -G "/usr/lib/postgresql/*/bin/$1" > /dev/null
}

# missing_server NAME PROGRAM: neither a connection string nor the program.
missing_server() {
  local given="ConnectionStrings__$1"
  [ -z "${!given:-}" ] && ! program "$2" || return 1
  # Each database elsewhere is as good as the server elsewhere.
  [ "$1" != postgres ] || [ -z "${ConnectionStrings__auth:-}" ] || [ -z "${ConnectionStrings__ledger:-}" ] || [ -z "${ConnectionStrings__metering:-}" ]
}

container_engine() {
  timeout 10 docker info > /dev/null 2>&1 || timeout 10 podman info > /dev/null 2>&1
}

# Installs Debian's packages. Their own services must not start: they would take ports and memory that nobody asked for.
install() {
  command -v apt-get > /dev/null || fail "$* must be installed, and this system has no apt-get. Install them, or start Docker."
  local sudo=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || fail "$* must be installed as root: apt-get install -y $*"
    sudo=sudo
  fi

  say "installing $*"
  local policy=/usr/sbin/policy-rc.d log
  log=$(mktemp)
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy > /dev/null
    $sudo chmod 755 $policy
    trap "$sudo rm -f $policy" EXIT
  fi

  if ! { $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
         $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"; } > "$log" 2>&1; then
    tail -30 "$log" >&2
    fail "installing $* failed (above are apt's last lines)"
  fi

  if [ "$(trap -p EXIT)" ]; then
    $sudo rm -f $policy
    trap - EXIT
  fi
  rm -f "$log"
}

# build PROJECT: Release; says nothing unless it fails.
build() {
  local log
  log=$(mktemp)
  # No server processes of the compiler are left behind.
  if ! dotnet build "$1" -c Release -v q -clp:NoSummary -nodeReuse:false -p:UseSharedCompilation=false > "$log" 2>&1; then
    grep -E '(error|warning) ' "$log" | sort -u | head -40 >&2 || true
    [ -s "$log" ] && ! grep -qE 'error ' "$log" && tail -30 "$log" >&2
    fail "$1 does not build"
  fi
  rm -f "$log"
}

# The official clients of Node that the tests call the gateway with, as their lock file names them.
node_clients() {
  local folder=tests/Cluster.Tests/Clients/Node log
  [ ! "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] || return 0
  say "installing the clients of $folder"
  log=$(mktemp)
  if ! npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund > "$log" 2>&1; then
    tail -20 "$log" >&2
    fail "npm ci in $folder failed (above are npm's last lines)"
  fi
  rm -f "$log"
}

# Shared by the scripts beside it: where things are, and steps that print one line each and log the rest.
# shellcheck shell=bash

set -euo pipefail

REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LOG_DIR=$REPO/build/log
CACHE=${DEEPEDGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deepedge}
export DEEPEDGE_CACHE=$CACHE
# Debian's own Python, where it has pip: others may lack it, or choose packages for another version.
PYTHON=/usr/bin/python3
[[ -x $PYTHON ]] || PYTHON=python3

# The compiler cache, by environment only. Paths are taken relative to the work tree, so that a second clone hits too.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$REPO}
export CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}

mkdir -p "$LOG_DIR"

# The comment at the head of the script that was started.
usage() {
  sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//;p}' "$0"
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# From Ninja's log what failed, without the steps that went well; from any other its end.
show_failure() {
  if grep -q '^FAILED: ' "$1"; then
    sed -n '/^FAILED: /,$p' "$1" | grep -v -e '^\[[0-9]*/[0-9]*\] ' -e '^/usr/bin/ccache' -e '^: && ' | head -n "$STEP_TAIL"
  else
    tail -n "$STEP_TAIL" "$1"
  fi
}

# step NAME TEXT COMMAND...: runs COMMAND with its output in build/log/NAME.log and prints TEXT with the seconds it took.
# On failure it shows what the log says about it, at most STEP_TAIL lines, and returns the command's exit code.
STEP_TAIL=40
step() {
  local text=$2 log=$LOG_DIR/$1.log start=$SECONDS rc=0
  shift 2
  if [[ -t 1 ]]; then printf '  %s …' "$text"; fi
  "$@" >"$log" 2>&1 </dev/null || rc=$?
  if [[ -t 1 ]]; then printf '\r\033[K'; fi
  if ((rc == 0)); then
    printf '  %-58s %4d s\n' "$text" $((SECONDS - start))
  else
    printf '  %-58s %4d s  FAILED (exit code %d)\n' "$text" $((SECONDS - start)) "$rc"
    show_failure "$log" | sed 's/^/    /' >&2
    printf '  the whole log: %s\n' "$log" >&2
  fi
  return "$rc"
}

# build_targets PRESET [TARGET...]: configures and builds. Says what Ninja is at now and then, so that a long build does
# not look like a hang.
build_targets() {
  local preset=$1
  shift
  step "configure-$preset" "configure ($preset)" cmake --preset "$preset" -S "$REPO" || return
  step_progress "build-$preset" "build ($preset)" \
    ninja -C "$REPO/build/$preset" -j "${DEEPEDGE_JOBS:-$(nproc)}" "$@"
}

# Like step, for Ninja: on a terminal the line counts along, elsewhere one line every 30 s says how far it is.
step_progress() {
  local text=$2 log=$LOG_DIR/$1.log watcher rc=0
  : >"$log"
  (
    ticks=0
    while sleep 1; do
      ticks=$((ticks + 1))
      at=$({ grep -ao '^\[[0-9]*/[0-9]*\]' "$log" || true; } | tail -n 1)
      [[ -n $at ]] || continue
      if [[ -t 1 ]]; then
        printf '\r\033[K  %s … %s' "$text" "$at"
      elif ((ticks % 30 == 0)); then
        printf '  %s … %s\n' "$text" "$at"
      fi
    done
  ) &
  watcher=$!
  step "$@" || rc=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  return "$rc"
}

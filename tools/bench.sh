#!/usr/bin/env bash
# Measures the hub beside mosquitto and its own bare endpoint, with and without people at its pages, over loopback.
# Usage: tools/bench.sh [--quick] [--json FILE] [--only PART...] [--seeded FOLDER]
# The full run writes tools/bench-results.md. Needs the .NET 10 SDK and Debian's mosquitto.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || { echo "mosquitto is missing: apt-get install mosquitto" >&2; exit 2; }
# 8,000 terminals are 8,000 sockets on each side.
ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 20000 ] || { echo "the limit of open files is $(ulimit -n); 20000 are needed" >&2; exit 2; }

results=(--results tools/bench-results.md)
for argument in "$@"; do
  [ "$argument" = --quick ] && results=()
done

dotnet build tools/LoadBench -c Release -v quiet --nologo >&2
exec artifacts/bin/LoadBench/release/devicehub-loadbench --commit "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "${results[@]}" "$@"

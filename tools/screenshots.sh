#!/usr/bin/env bash
# Pictures of every page of the dashboard: light and dark, English and Chinese, wide and on a phone, of a new hub and of one in use.
# Usage: tools/screenshots.sh FOLDER. Needs the .NET 10 SDK and Debian's chromium and fonts-noto-cjk.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: tools/screenshots.sh FOLDER" >&2; exit 2; }
folder=$(realpath -m "$1")
cd "$(dirname "$0")/.."

command -v chromium >/dev/null || { echo "chromium is missing: apt-get install chromium fonts-noto-cjk" >&2; exit 2; }
dotnet build tests/DeviceHub.BrowserTests -c Release -v quiet --nologo >&2
SCREENSHOTS="$folder" dotnet artifacts/bin/DeviceHub.BrowserTests/release/DeviceHub.BrowserTests.dll -noColor -explicit only -class DeviceHub.BrowserTests.Screenshots >"${TMPDIR:-/tmp}/screenshots.log" 2>&1 ||
  { tail -n 40 "${TMPDIR:-/tmp}/screenshots.log" >&2; exit 1; }
echo "$(find "$folder" -name '*.png' | wc -l) pictures in $folder"

#!/usr/bin/env bash
# Installs what the tests need (only what is missing), builds once, runs every test project and sums their results.
# The last line is "N passed, N failed". Exit code 1 when a test failed, a project broke, or nothing ran.
set -uo pipefail
cd "$(dirname "$0")/.."

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
configuration=${CONFIGURATION:-Release}
limit_seconds=${TEST_LIMIT_SECONDS:-1500}

# A host of .NET takes SIGTERM for a request to stop, and one that hangs never does: SIGKILL follows.
limited() { timeout -k 30 "$limit_seconds" "$@"; }

say() { printf '\n== %s\n' "$*"; }

install_tools() {
  local missing=()
  command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
  command -v mosquitto_pub >/dev/null || missing+=(mosquitto-clients)
  command -v openssl >/dev/null || missing+=(openssl)
  command -v jq >/dev/null || missing+=(jq)
  command -v socat >/dev/null || missing+=(socat)
  command -v systemd-analyze >/dev/null || missing+=(systemd)
  command -v curl >/dev/null || missing+=(curl)
  command -v node >/dev/null || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
  command -v chromium >/dev/null || missing+=(chromium)
  command -v zbarimg >/dev/null || missing+=(zbar-tools)
  # Chinese in the pictures and tests of the pages.
  fc-list 2>/dev/null | grep -q 'Noto Sans CJK' || missing+=(fontconfig fonts-noto-cjk)
  # The C kit: firmware-protocol/c/check.sh says what it needs.
  local package
  for package in gcc clang cmake ninja-build cppcheck protobuf-compiler nanopb dpkg-dev libmosquitto-dev gcc-arm-none-eabi \
    libnewlib-arm-none-eabi socat; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  # Clang's sanitizers, of whichever version this Debian has.
  compgen -G '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.asan-*.a' >/dev/null || missing+=(libclang-rt-dev)
  # Debian's own Python, whichever other one is first in the path: the package is installed for that one.
  /usr/bin/python3 -c 'import paho.mqtt.client' 2>/dev/null || missing+=(python3 python3-paho-mqtt)
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then sudo=(sudo); fi
    "${sudo[@]}" apt-get update -qq || return 1
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" || return 1
  fi
  if [ -f tests/clients/package-lock.json ]; then
    local stamp=tests/clients/node_modules/.package-lock.json
    if [ ! -f "$stamp" ] || [ tests/clients/package-lock.json -nt "$stamp" ]; then
      say "installing the MQTT.js client"
      (cd tests/clients && npm ci --no-audit --no-fund --loglevel=error) || return 1
    fi
  fi
}

install_tools || { echo "the tests' tools could not be installed" >&2; echo "0 passed, 1 failed"; exit 1; }

say "building ($configuration)"
if ! dotnet build DeviceHub.sln -c "$configuration" -v quiet -clp:NoSummary; then
  echo "the build failed" >&2
  echo "0 passed, 1 failed"
  exit 1
fi

passed=0
failed=0
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
say "firmware-protocol/c"
log="$results/firmware.log"
limited bash firmware-protocol/c/check.sh >"$log" 2>&1
grep -vE '^ok ' "$log"
read -r passed failed < <(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$log" | tail -n 1) || failed=1

for project in tests/*/*.csproj; do
  name=$(basename "$project" .csproj)
  # A project without a test is not a failure: "no tests ran" is judged over all of them.
  if ! grep -rqlE '\[(Fact|Theory)' --include='*.cs' "$(dirname "$project")"; then continue; fi
  say "$name"
  log="$results/$name.log"
  limited dotnet "artifacts/bin/$name/${configuration,,}/$name.dll" -noColor -longRunning 240 >"$log" 2>&1
  code=$?
  # Hubs in tests say much; of a run that went well its last lines are enough, of one that did not also each failure.
  grep -A 60 -E '\[(FAIL|ERROR)\]' "$log" | head -n 400
  tail -n 4 "$log"
  read -r total errors fails skips < <(sed -nE 's/.*Total: *([0-9]+), Errors: *([0-9]+), Failed: *([0-9]+), Skipped: *([0-9]+).*/\1 \2 \3 \4/p' "$log" | tail -n 1) || true
  total=${total:-0} errors=${errors:-0} fails=${fails:-0} skips=${skips:-0}
  bad=$((errors + fails))
  # A crash or a time-out leaves no summary, or a clean one with a bad exit code.
  if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
    echo "$name ended with exit code $code; the tests that were slow last, and the last it said:"
    grep -F '[Long Running Test]' "$log" | tail -n 4
    tail -n 40 "$log"
    bad=1
  fi
  passed=$((passed + total - fails - skips))
  failed=$((failed + bad))
done

say "summary"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

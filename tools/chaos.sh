#!/usr/bin/env bash
# Kills a hub under load again and again, and compares three books. Usage: tools/chaos.sh [--kills N] [--json FILE] [--seed N] ...
# --help lists the rest. Exit code 1 when a payment is lost, charged twice, mismatched or not settled. Needs the .NET 10 SDK.
set -euo pipefail
project=$(dirname "$0")/Chaos

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build "$project" -c Release -v quiet --nologo -clp:NoSummary >&2
exec dotnet "$(dirname "$0")/../artifacts/bin/Chaos/release/devicehub-chaos.dll" "$@"

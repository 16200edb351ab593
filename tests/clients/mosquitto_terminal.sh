#!/usr/bin/env bash
# A DeviceHub terminal on Debian's mosquitto-clients: activate, log in by token, configure, beat, pay, confirm. JSON, unsealed.
# mosquitto_pub and mosquitto_sub are two connections and a terminal has one, so a mosquitto of one's own bridges both to the hub.
# Usage: mosquitto_terminal.sh HOST PORT SERIAL ACTIVATION_CODE AMOUNT_FEN [SECONDS]
# Needs bash, jq, openssl, mosquitto, mosquitto-clients. LOCAL_PORT (18830) is where the bridge listens on loopback.
set -euo pipefail
host=$1 port=$2 sn=$3 code=$4 amount=$5 configuration_seconds=${6:-0}
local_port=${LOCAL_PORT:-18830}
export PATH=$PATH:/usr/sbin

work=$(mktemp -d)
broker= listener=
close() {
  [ -z "$listener" ] || { kill "$listener" && wait "$listener"; } 2>/dev/null || true
  [ -z "$broker" ] || { kill "$broker" && wait "$broker"; } 2>/dev/null || true
  listener= broker=
}
trap 'close; rm -rf "$work"' EXIT

fail() { echo "$*" >&2; [ ! -f "$work/broker.log" ] || cat "$work/broker.log" >&2; exit 1; }

# One connection to the hub, with or without a token, and a listener whose lines are read from descriptor 3.
open() {
  cat > "$work/mosquitto.conf" <<CONF
listener $local_port 127.0.0.1
allow_anonymous true
persistence false
connection hub
address $host:$port
bridge_protocol_version mqttv311
remote_clientid $sn
local_clientid bridge
cleansession true
try_private false
bridge_attempt_unsubscribe false
notifications true
notifications_local_only true
keepalive_interval 60
restart_timeout 5
topic dh/v1/$sn/up out 1
topic dh/v1/$sn/down in 1
CONF
  [ -z "${1:-}" ] || printf 'remote_username %s\nremote_password %s\n' "$sn" "$1" >> "$work/mosquitto.conf"
  mosquitto -c "$work/mosquitto.conf" >> "$work/broker.log" 2>&1 &
  broker=$!
  local until=$((SECONDS + 20)) state=0
  while [ "$state" != 1 ]; do
    [ $SECONDS -lt $until ] || fail "the bridge has no connection to the hub"
    state=$(mosquitto_sub -p "$local_port" -t "\$SYS/broker/connection/$sn/state" -C 1 -W 2 2>/dev/null || sleep 0.2)
  done
  mkfifo "$work/down" 2>/dev/null || true
  stdbuf -oL mosquitto_sub -d -p "$local_port" -q 1 -t "dh/v1/$sn/down" > "$work/down" 2>&1 &
  listener=$!
  exec 3< "$work/down"
  local line
  until [[ ${line:-} == Subscribed* ]]; do read -r -t 10 line <&3 || fail "the listener does not start"; done
}

send() { mosquitto_pub -p "$local_port" -q 1 -t "dh/v1/$sn/up" -m "$1"; }

# wait_for KIND[|KIND] [SECONDS]: the first such downlink goes to $kind and $body; a refusal ends all.
wait_for() {
  local until=$((SECONDS + ${2:-30})) line
  while [ $SECONDS -le $until ]; do
    read -r -t 1 line <&3 || continue
    [[ $line == \{* ]] || continue
    kind=$(jq -r 'keys[0]' <<< "$line") body=$(jq -c '.[]' <<< "$line")
    [[ "|$1|" != *"|$kind|"* ]] || return 0
    [ "$kind" != refusal ] || fail "refused: $line"
  done
  return 1
}

hello() {
  send "{\"hello\":{\"protocol_version\":1,\"hardware_id\":\"mosquitto-$sn\",\"boot_reason\":\"BOOT_REASON_POWER_ON\",\"firmware\":\"mosquitto\",\"text_encoding\":\"TEXT_ENCODING_UTF8\",\"max_message_bytes\":4096,\"terminal_nonce\":\"$(openssl rand -base64 16)\"}}"
}

step() { echo "{\"step\":\"$1\"}"; }

open
hello
wait_for challenge || fail "no challenge"
send "{\"activate\":{\"activation_code\":\"$code\"}}"
wait_for offer || fail "no offer"
key=$(jq -r .terminal_key <<< "$body" | base64 -d | od -An -v -tx1 | tr -d ' \n')
close
step activated

now=$(date +%s)
open "t1.$now.$(printf 'devicehub/v1/token|%s|%s' "$sn" "$now" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" | sed 's/.*= //' | cut -c1-32)"
hello
wait_for welcome || fail "no welcome"
epoch=$(jq -r .request_epoch <<< "$body") version=$(jq -r '.configuration_version // "0"' <<< "$body")
wait_for synced || fail "not synced"
send '{"heartbeat":{"uptime_s":"12","firmware":"mosquitto","signal_dbm":-71}}'
step ready

configured=false
[ "$version" = 0 ] || configuration_seconds=30
if [ "$configuration_seconds" -gt 0 ]; then
  : > "$work/entries"
  while wait_for 'configuration_chunk|configuration_commit' "$configuration_seconds"; do
    if [ "$kind" = configuration_chunk ]; then
      jq -c '.entries[]?' <<< "$body" >> "$work/entries"
      continue
    fi
    hash=$(jq -s -j 'sort_by(.key)[] | .key + "\u0000" + (if has("flag") then (if .flag then "f1" else "f0" end) elif has("number") then "n\(.number)" else "t" + .text end) + "\n"' "$work/entries" \
      | openssl dgst -sha256 -binary | base64)
    result=RESULT_HASH_MISMATCH
    if [ "$hash" = "$(jq -r .hash <<< "$body")" ]; then result=RESULT_APPLIED configured=true; fi
    send "{\"configuration_report\":{\"version\":\"$(jq -r .version <<< "$body")\",\"hash\":\"$hash\",\"result\":\"$result\"}}"
    break
  done
fi
step configured

request=$epoch-1
send "{\"payment_request\":{\"request_id\":\"$request\",\"amount_fen\":\"$amount\",\"payment_code\":\"28$(date +%s%N | cut -c1-16)\",\"time_to_live_ms\":30000,\"age_ms\":40}}"
states=
while wait_for 'accepted|in_doubt|outcome' 120; do
  [ "$(jq -r .request_id <<< "$body")" = "$request" ] || continue
  [ "$kind" != outcome ] || break
  states="$states $kind"
done
[ "$kind" = outcome ] || fail "no outcome"
send "{\"outcome_shown\":{\"request_id\":\"$request\",\"revision\":$(jq -r .revision <<< "$body")}}"
jq -c --arg states "$states" --argjson configured "$configured" --slurpfile entries <(cat "$work/entries" 2>/dev/null) \
  '{client: "mosquitto", request_id, result, amount_fen, states: ($states | split(" ") | map(select(. != ""))), configured: $configured, entries: ($entries | length)}' <<< "$body"
# The bridge hands over what it has before it is stopped.
mosquitto_sub -p "$local_port" -t none -W 1 2>/dev/null || true

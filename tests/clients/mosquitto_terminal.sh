#!/usr/bin/env bash
# A DeviceHub terminal on Debian's mosquitto clients: activate, log in with a token made by openssl, pay, confirm. JSON, unsealed.
# mosquitto_pub and mosquitto_sub are two connections. The hub lets a listener that was let in by the same token hear for the one that
# speaks (firmware-protocol/README.md, "With two clients").
set -euo pipefail
host=$1 port=$2 sn=$3 code=$4 amount=$5
up=dh/v1/$sn/up down=dh/v1/$sn/down
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
nonce() { openssl rand -base64 16; }
hello() {
  printf '{"hello":{"protocol_version":1,"hardware_id":"mosquitto-%s","boot_reason":"BOOT_REASON_POWER_ON","text_encoding":"TEXT_ENCODING_UTF8","max_message_bytes":4096,"terminal_nonce":"%s"}}\n' "$sn" "$(nonce)"
}

# 1. Activate: the code is the password, hello is the question, the offer is the answer.
key=$(mosquitto_rr -h "$host" -p "$port" -V mqttv311 -i "$sn" -u "$sn" -P "a1.$code" -q 1 -W 10 -t "$up" -e "$down" -m "$(hello)" | jq -r .offer.terminal_key | base64 -d | od -An -tx1 | tr -d ' \n')

# 2. A token: time, and half an HMAC over it. This is the one line.
now=$(date +%s); token=t1.$now.$(printf 'devicehub/v1/token|%s|%s' "$sn" "$now" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" | sed 's/.*= //' | cut -c1-32)

# 3. One client listens, one speaks.
mosquitto_sub -h "$host" -p "$port" -V mqttv311 -i "$sn" -u "$sn" -P "$token" -q 1 -t "$down" >"$dir/down" 2>"$dir/sub.log" &
await() { # the first downlink that a jq filter selects
  for _ in $(seq 600); do
    jq -ec "$1" "$dir/down" 2>/dev/null | head -n 1 | grep . && return
    sleep 0.1
  done
  echo "nothing matched $1; so far: $(cat "$dir/down" "$dir/sub.log")" >&2
  return 1
}
sleep 1
mkfifo "$dir/up"
mosquitto_pub -h "$host" -p "$port" -V mqttv311 -i "$sn" -u "$sn" -P "$token" -q 1 -t "$up" -l <"$dir/up" &
exec 7>"$dir/up"
hello >&7
id=$(await 'select(.welcome).welcome.request_epoch' | tr -d '"')-1
await 'select(.synced)' >/dev/null
printf '{"payment_request":{"request_id":"%s","amount_fen":%s,"payment_code":"13%016d","time_to_live_ms":30000}}\n' "$id" "$amount" "$(date +%s)" >&7
outcome=$(await "select(.outcome.request_id == \"$id\").outcome")
printf '{"outcome_shown":{"request_id":"%s","revision":%s}}\n' "$id" "$(jq .revision <<<"$outcome")" >&7
sleep 0.5
exec 7>&-
jq -c --arg id "$id" '{client: "mosquitto", request_id: $id, result, amount_fen}' <<<"$outcome"

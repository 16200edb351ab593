#!/usr/bin/env python3
"""A DeviceHub terminal on paho: activate, log in by token, configure, beat, pay, confirm. JSON, unsealed.

Usage: paho_terminal.py HOST PORT SERIAL ACTIVATION_CODE AMOUNT_FEN [SECONDS]
"""
import base64
import hashlib
import hmac
import json
import os
import queue
import sys
import time

import paho.mqtt.client as mqtt

HOST, PORT, SN, CODE, AMOUNT = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
CONFIGURATION_SECONDS = int(sys.argv[6]) if len(sys.argv) > 6 else 0
UP, DOWN = f"dh/v1/{SN}/up", f"dh/v1/{SN}/down"


class Session:
    """One connection. Downlinks arrive on a queue; wait_for() skips those that nobody asked for."""

    def __init__(self, password=None):
        self.inbox = queue.Queue(100)
        # paho 2 wants to be told which callbacks are meant; paho 1 has only these.
        version = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
        self.client = mqtt.Client(*version, client_id=SN, protocol=mqtt.MQTTv311)
        if password:
            self.client.username_pw_set(SN, password)
        self.client.on_message = lambda c, u, m: self.inbox.put(json.loads(m.payload))
        self.client.on_connect = lambda c, u, f, rc: c.subscribe(DOWN, qos=1)
        self.subscribed = queue.Queue(1)
        self.client.on_subscribe = lambda c, u, mid, qos: self.subscribed.put(qos)
        self.client.connect(HOST, PORT, keepalive=60)
        self.client.loop_start()
        self.subscribed.get(timeout=10)

    def send(self, body):
        self.client.publish(UP, json.dumps(body), qos=1).wait_for_publish(timeout=10)

    def wait_for(self, *kinds, seconds=30):
        until = time.monotonic() + seconds
        while True:
            try:
                message = self.inbox.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise SystemExit(f"no {' or '.join(kinds)} in {seconds} s") from None
            kind = next(iter(message))
            if kind in kinds:
                return kind, message[kind]
            if kind == "refusal":
                raise SystemExit(f"refused: {message}")

    def hello(self):
        self.send({"hello": {
            "protocol_version": 1, "hardware_id": f"paho-{SN}", "boot_reason": "BOOT_REASON_POWER_ON", "firmware": "paho",
            "text_encoding": "TEXT_ENCODING_UTF8", "max_message_bytes": 4096,
            "terminal_nonce": base64.b64encode(os.urandom(16)).decode()}})

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def step(name):
    print(json.dumps({"step": name}), flush=True)


def activate():
    session = Session()
    session.hello()
    session.wait_for("challenge")
    session.send({"activate": {"activation_code": CODE}})
    _, offer = session.wait_for("offer")
    session.close()
    step("activated")
    return base64.b64decode(offer["terminal_key"])


def token(key):
    now = int(time.time())
    mac = hmac.new(key, f"devicehub/v1/token|{SN}|{now}".encode(), hashlib.sha256).hexdigest()[:32]
    return f"t1.{now}.{mac}"


def configuration_hash(entries):
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda e: e["key"].encode()):
        if "flag" in entry:
            value = "f1" if entry["flag"] else "f0"
        elif "number" in entry:
            value = "n" + str(entry["number"])
        else:
            value = "t" + entry["text"]
        digest.update(entry["key"].encode() + b"\0" + value.encode() + b"\n")
    return digest.digest()


def take_configuration(session):
    entries = []
    while True:
        kind, body = session.wait_for("configuration_chunk", "configuration_commit", seconds=max(30, CONFIGURATION_SECONDS))
        if kind == "configuration_chunk":
            entries += body.get("entries", [])
            continue
        good = configuration_hash(entries) == base64.b64decode(body["hash"])
        session.send({"configuration_report": {
            "version": body["version"], "hash": body["hash"], "result": "RESULT_APPLIED" if good else "RESULT_HASH_MISMATCH"}})
        return good, entries


def main():
    session = Session(token(activate()))
    session.hello()
    _, welcome = session.wait_for("welcome")
    session.wait_for("synced")
    session.send({"heartbeat": {"uptime_s": "12", "firmware": "paho", "signal_dbm": -71}})
    step("ready")
    configured, entries = (False, [])
    if CONFIGURATION_SECONDS > 0 or int(welcome.get("configuration_version", 0)) > 0:
        configured, entries = take_configuration(session)
    step("configured")

    request_id = welcome["request_epoch"] + "-1"
    started = time.monotonic()
    request = {"payment_request": {
        "request_id": request_id, "amount_fen": str(AMOUNT), "payment_code": f"13{int(time.time() * 1000):016d}",
        "time_to_live_ms": 30000, "age_ms": 50}}
    session.send(request)
    states = []
    while True:
        kind, body = session.wait_for("accepted", "in_doubt", "outcome", seconds=120)
        if body["request_id"] != request_id:
            continue
        if kind == "outcome":
            break
        states.append(kind)
    session.send({"outcome_shown": {"request_id": request_id, "revision": body["revision"]}})
    session.close()
    print(json.dumps({
        "client": "paho", "request_id": request_id, "result": body["result"], "amount_fen": body.get("amount_fen"),
        "states": states, "configured": configured, "entries": len(entries), "seconds": round(time.monotonic() - started, 3)}))


main()

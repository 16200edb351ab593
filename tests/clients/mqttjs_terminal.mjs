// A DeviceHub terminal on MQTT.js over MQTT 5: activate, log in by token, configure, beat, pay, confirm. JSON, unsealed.
// Usage: mqttjs_terminal.mjs HOST PORT SERIAL ACTIVATION_CODE AMOUNT_FEN [SECONDS]
import { createHash, createHmac, randomBytes } from 'node:crypto';
import mqtt from 'mqtt';

const [host, port, sn, code, amount, configurationSeconds = '0'] = process.argv.slice(2);
const up = `dh/v1/${sn}/up`;
const down = `dh/v1/${sn}/down`;

/** One connection; downlinks queue up until somebody waits for their kind. */
async function open(password) {
  const client = await mqtt.connectAsync(`mqtt://${host}:${port}`, {
    clientId: sn, username: password ? sn : undefined, password, protocolVersion: 5, keepalive: 60, reconnectPeriod: 0,
  });
  const inbox = [];
  let wake = () => {};
  client.on('message', (_, payload) => { inbox.push(JSON.parse(payload)); wake(); });
  await client.subscribeAsync(down, { qos: 1 });
  const send = (body) => client.publishAsync(up, JSON.stringify(body), { qos: 1 });
  const waitFor = async (kinds, seconds = 30) => {
    const until = Date.now() + seconds * 1000;
    for (;;) {
      while (inbox.length > 0) {
        const message = inbox.shift();
        const [kind] = Object.keys(message);
        if (kinds.includes(kind)) return [kind, message[kind]];
        if (kind === 'refusal') throw new Error(`refused: ${JSON.stringify(message)}`);
      }
      if (Date.now() > until) throw new Error(`no ${kinds} in ${seconds} s`);
      await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 500); });
    }
  };
  const hello = () => send({ hello: {
    protocol_version: 1, hardware_id: `js-${sn}`, boot_reason: 'BOOT_REASON_POWER_ON', firmware: 'mqtt.js',
    text_encoding: 'TEXT_ENCODING_UTF8', max_message_bytes: 4096, terminal_nonce: randomBytes(16).toString('base64') } });
  return { send, waitFor, hello, close: () => client.endAsync() };
}

const step = (name) => console.log(JSON.stringify({ step: name }));

function configurationHash(entries) {
  const digest = createHash('sha256');
  for (const entry of [...entries].sort((a, b) => (a.key < b.key ? -1 : 1))) {
    const value = 'flag' in entry ? `f${entry.flag ? 1 : 0}` : 'number' in entry ? `n${entry.number}` : `t${entry.text}`;
    digest.update(`${entry.key}\0${value}\n`);
  }
  return digest.digest('base64');
}

const first = await open();
await first.hello();
await first.waitFor(['challenge']);
await first.send({ activate: { activation_code: code } });
const [, offer] = await first.waitFor(['offer']);
await first.close();
step('activated');

const now = Math.floor(Date.now() / 1000);
const mac = createHmac('sha256', Buffer.from(offer.terminal_key, 'base64'))
  .update(`devicehub/v1/token|${sn}|${now}`).digest('hex').slice(0, 32);
const session = await open(`t1.${now}.${mac}`);
await session.hello();
const [, welcome] = await session.waitFor(['welcome']);
await session.waitFor(['synced']);

await session.send({ heartbeat: { uptime_s: 12, firmware: 'mqtt.js', signal_dbm: -71 } });
step('ready');

let configured = false;
const entries = [];
while (Number(configurationSeconds) > 0 || Number(welcome.configuration_version ?? 0) > 0) {
  const [kind, body] = await session.waitFor(['configuration_chunk', 'configuration_commit'], Math.max(30, Number(configurationSeconds)));
  if (kind === 'configuration_chunk') {
    entries.push(...(body.entries ?? []));
    continue;
  }
  configured = configurationHash(entries) === body.hash;
  await session.send({ configuration_report: {
    version: body.version, hash: body.hash, result: configured ? 'RESULT_APPLIED' : 'RESULT_HASH_MISMATCH' } });
  break;
}
step('configured');

const requestId = `${welcome.request_epoch}-1`;
await session.send({ payment_request: {
  request_id: requestId, amount_fen: amount, payment_code: `28${String(Date.now()).padStart(16, '0')}`, time_to_live_ms: 30000, age_ms: 40 } });
const states = [];
let outcome;
while (!outcome) {
  const [kind, body] = await session.waitFor(['accepted', 'in_doubt', 'outcome'], 120);
  if (body.request_id !== requestId) continue;
  if (kind === 'outcome') outcome = body;
  else states.push(kind);
}
await session.send({ outcome_shown: { request_id: requestId, revision: outcome.revision } });
await session.close();
console.log(JSON.stringify({
  client: 'mqtt.js', request_id: requestId, result: outcome.result, amount_fen: outcome.amount_fen, states, configured, entries: entries.length }));

/** What OpenTelemetry hears of a real gateway: the calls, none of their values, and nothing that stops a call. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { GatewayProcess, type PaymentsPlace, type ToolAnswer, paymentsPlace, verified } from './gateway-process.ts';
import type { Told, ToldSpan } from './otel-preload.ts';

const PRELOAD = join(import.meta.dirname, 'otel-preload.ts');
const RULES = `  - deny: payments.create_payment
    when: args.amount == 666
  - ask: payments.create_payment
    when: args.amount == 555
approvals: { signed: false }
principal: canary-principal
principals: { canary-principal: {} }`;
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const ATTRIBUTES = new Set([
  'error.type',
  'gen_ai.operation.name',
  'gen_ai.tool.call.id',
  'gen_ai.tool.name',
  'interlock.call',
  'interlock.decision.code',
  'interlock.decision.effect',
  'interlock.replayed',
  'interlock.state',
  'interlock.tool',
  'mcp.method.name',
  'mcp.protocol.version',
  'network.transport',
]);
const SERVER = 1;
const CLIENT = 2;
const ERROR = 2;

function preloaded(t: TestContext, place: PaymentsPlace, environment: Record<string, string>): GatewayProcess {
  const gateway = new GatewayProcess(place, { NODE_OPTIONS: `--import=${PRELOAD}`, ...environment });
  t.after(() => gateway.kill());
  return gateway;
}

function call(
  gateway: GatewayProcess,
  amount: number,
  meta: object = {},
  name = 'create_payment',
): Promise<ToolAnswer> {
  const args = { charge: `canary-charge-${amount}`, amount, currency: 'eur', to: 'canary@example.com' };
  const params = { name: `payments__${name}`, arguments: args, _meta: meta };
  return gateway.request('tools/call', params).then(({ result }) => result as ToolAnswer);
}

async function toldBy(gateway: GatewayProcess, dump: string): Promise<Told> {
  rmSync(dump, { force: true });
  gateway.process.kill('SIGUSR2');
  while (!existsSync(dump)) await new Promise(setImmediate);
  return JSON.parse(readFileSync(dump, 'utf8')) as Told;
}

/** The span of the request that was answered so. */
function spanOf({ spans }: Told, answer: ToolAnswer): ToldSpan {
  const { id, replayed } = answer._meta['interlock/call'];
  const [found, other] = spans.filter(
    ({ attributes }) => attributes['interlock.call'] === id && attributes['interlock.replayed'] === replayed,
  );
  assert.ok(found !== undefined && other === undefined);
  return found;
}

test('spans and metrics tell each call by its names, state and code, and no value of any [R-telemetry]', async (t) => {
  using place = paymentsPlace({ more: RULES });
  const dump = join(place.directory, 'told.json');
  const gateway = preloaded(t, place, { OTEL_DUMP: dump });
  await gateway.hello();
  const traced = { traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'host=1', baggage: 'user=canary' };
  const paid = await call(gateway, 100, { 'interlock/key': 'canary-key', ...traced });
  const again = await call(gateway, 100, { 'interlock/key': 'canary-key' });
  const denied = await call(gateway, 666);
  const parked = await call(gateway, 555);
  const misfit = await call(gateway, -1);
  gateway.process.stdin.write('canary line\n');
  const unheard = await call(gateway, 100, {}, 'canary-tool');
  const told = await toldBy(gateway, dump);

  const span = spanOf(told, paid);
  assert.deepEqual(
    [span.name, span.kind, span.trace, span.parent, span.state],
    ['tools/call payments__create_payment', SERVER, TRACE, PARENT, 'host=1'],
  );
  const { id } = paid._meta['interlock/call'];
  assert.deepEqual(span.attributes, {
    'mcp.method.name': 'tools/call',
    'mcp.protocol.version': '2025-11-25',
    'network.transport': 'pipe',
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'payments__create_payment',
    'gen_ai.tool.call.id': id,
    'interlock.tool': 'payments.create_payment',
    'interlock.call': id,
    'interlock.state': 'succeeded',
    'interlock.replayed': false,
    'interlock.decision.effect': 'allow',
    'interlock.decision.code': 'allowed',
  });
  assert.equal(span.status.code, 0);
  const sent = told.spans.filter(({ kind }) => kind === CLIENT);
  assert.deepEqual(
    sent.map(({ name, trace, parent }) => [name, trace, parent]),
    [['tools/call create_payment', TRACE, span.id]],
    'only what was sent has a span of its own',
  );
  const codeOf = (answer: ToolAnswer): unknown[] => {
    const { attributes, status } = spanOf(told, answer);
    return [attributes['interlock.decision.code'], attributes['error.type'], status.code];
  };
  assert.deepEqual(codeOf(denied), ['denied-by-rule', 'denied-by-rule', ERROR]);
  assert.deepEqual(codeOf(parked), ['asked', undefined, 0]);
  assert.deepEqual(codeOf(misfit), ['schema-mismatch', 'schema-mismatch', ERROR]);
  assert.deepEqual(codeOf(unheard), ['unknown-tool', 'unknown-tool', ERROR]);
  assert.equal(spanOf(told, unheard).name, 'tools/call');
  assert.equal(spanOf(told, again).attributes['interlock.decision.code'], undefined, 'the record answered');

  const decisions = (told.metrics['interlock.decisions'] ?? []).map(({ attributes, value }) => [
    attributes['interlock.decision.code'],
    value,
  ]);
  assert.deepEqual(Object.fromEntries(decisions), {
    allowed: 1,
    asked: 1,
    'denied-by-rule': 1,
    'schema-mismatch': 1,
    'unknown-tool': 1,
    malformed: 1,
  });
  const open = told.metrics['interlock.calls.open'] ?? [];
  assert.deepEqual(Object.fromEntries(open.map(({ attributes, value }) => [attributes['interlock.state'], value])), {
    parked: 1,
    running: 0,
    unknown: 0,
  });
  const served = told.metrics['mcp.server.operation.duration'] ?? [];
  assert.equal(
    served.reduce((sum, { value }) => sum + (value as { count: number }).count, 0),
    6,
  );

  const keys = [...told.spans, ...Object.values(told.metrics).flat()].flatMap(({ attributes }) =>
    Object.keys(attributes),
  );
  assert.deepEqual(
    [...new Set(keys)].filter((key) => !ATTRIBUTES.has(key)),
    [],
  );
  assert.ok(told.spans.every(({ more }) => JSON.stringify(more) === '{"events":[],"links":[]}'));
  assert.ok(told.spans.every(({ status }) => status.message === undefined));
  assert.doesNotMatch(JSON.stringify(told), /canary/u);
  assert.equal(await gateway.close(), 0);
});

test('a call goes on as without telemetry where everything that is registered throws [R-telemetry]', async (t) => {
  using place = paymentsPlace();
  const gateway = preloaded(t, place, { OTEL_BROKEN: '1' });
  await gateway.hello();
  assert.equal((await gateway.pay('ch_1'))._meta['interlock/call'].state, 'succeeded');
  assert.equal((await gateway.pay('ch_2'))._meta['interlock/call'].state, 'succeeded');
  assert.equal(await gateway.close(), 0);
  assert.deepEqual(place.paid(), ['ch_1', 'ch_2']);
  assert.deepEqual(verified(place), { verdict: 'ok', problems: [] });
});

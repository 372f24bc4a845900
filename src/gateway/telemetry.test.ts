/** What is told of answers and replies, whose trace it belongs to, and that telling never hurts. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { afterEach, test } from 'node:test';
import { metrics, trace } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import * as fc from 'fast-check';
import type { Answer } from '../authority/answer.ts';
import type { Code } from '../policy/decide/code.ts';
import type { JsonObject } from '../value/json.ts';
import type { Reply } from './peer.ts';
import { Telemetry } from './telemetry.ts';

const EXCHANGE = { method: 'tools/call', tool: 'bank.pay', name: 'bank__pay' };
const DONE: Answer = { call: 'c', state: 'succeeded', replayed: false, output: {} };
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const REMOTE = `00-${TRACE}-${SPAN}-01`;

afterEach(() => {
  trace.disable();
  metrics.disable();
});

function telemetry(): { readonly told: Telemetry; readonly log: string[] } {
  const log: string[] = [];
  let now = 0;
  const world = { monotonic: () => (now += 1) };
  return { told: new Telemetry({ version: '0', world, log: (line) => void log.push(line) }), log };
}

function spans(): InMemorySpanExporter {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  return exporter;
}

function denied(code: Code, state: Answer['state'] = 'denied'): Answer {
  const decision = { effect: 'deny', code, rules: [], retryable: false } as const;
  return { call: 'c', state, replayed: false, decision, sentence: 'no' };
}

test('an error has the class of its code, and a call that waits for a person has none', async () => {
  const exporter = spans();
  const { told } = telemetry();
  const cases: readonly (readonly [Answer, string | undefined])[] = [
    [DONE, undefined],
    [denied('no-rule'), 'no-rule'],
    [denied('outcome-unknown', 'unknown'), 'outcome-unknown'],
    [{ ...DONE, state: 'failed', output: { isError: true } }, 'tool_error'],
    [{ ...DONE, state: 'failed', output: { error: { code: -32_602, message: 'no' } } }, '-32602'],
    [{ ...DONE, state: 'failed', output: { error: { code: 'canary', message: 'no' } } }, 'tool_error'],
    [{ ...DONE, state: 'parked', decision: { effect: 'ask', code: 'asked', rules: [], retryable: false } }, undefined],
    [{ call: 'c', state: 'running', replayed: true }, undefined],
  ];
  for (const [answer] of cases) await told.answered(EXCHANGE, {}, () => Promise.resolve(answer));
  const found = exporter.getFinishedSpans().map(({ attributes, status }) => [attributes['error.type'], status.code]);
  assert.deepEqual(
    found,
    cases.map(([, error]) => [error, error === undefined ? 0 : 2]),
  );
});

test('a reply has the class of what the transport saw', async () => {
  const exporter = spans();
  const { told } = telemetry();
  const replies: readonly Reply[] = [
    { kind: 'result', result: {} },
    { kind: 'result', result: { isError: true } },
    { kind: 'error', error: { code: -32_603, message: 'canary' } },
    { kind: 'not-sent', reason: 'canary' },
    { kind: 'lost', reason: 'canary' },
  ];
  const failed = (result: JsonObject): boolean => result['isError'] === true;
  for (const reply of replies) await told.sent(EXCHANGE, undefined, () => Promise.resolve(reply), failed);
  const found = exporter.getFinishedSpans().map(({ attributes }) => attributes['error.type']);
  assert.deepEqual(found, [undefined, 'tool_error', '-32603', 'not-sent', 'lost']);
});

test('a trace goes on only from a whole W3C context of at most 512 characters of state', async () => {
  const exporter = spans();
  const { told } = telemetry();
  const parentOf = async (meta: JsonObject): Promise<unknown[]> => {
    exporter.reset();
    await told.answered(EXCHANGE, meta, () => Promise.resolve(DONE));
    const [span] = exporter.getFinishedSpans();
    return [span?.parentSpanContext?.spanId, span?.spanContext().traceState?.serialize()];
  };
  assert.deepEqual(await parentOf({ traceparent: REMOTE, tracestate: 'a=1,,b=2,=' }), [SPAN, 'a=1,b=2']);
  assert.deepEqual(await parentOf({ traceparent: REMOTE, tracestate: `a=${'x'.repeat(600)}` }), [SPAN, '']);
  for (const traceparent of [
    '',
    7,
    null,
    [REMOTE],
    `${REMOTE}\n`,
    `${REMOTE}-more`,
    REMOTE.toUpperCase(),
    REMOTE.replace('00-', 'ff-'),
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    'x'.repeat(1_000_000),
  ]) {
    assert.deepEqual(await parentOf({ traceparent, tracestate: 'a=1' }), [undefined, undefined]);
  }
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (traceparent, tracestate) => {
      const meta = JSON.parse(JSON.stringify({ traceparent, tracestate })) as JsonObject;
      assert.equal((await parentOf(meta))[0], undefined);
    }),
    { numRuns: 200 },
  );
});

test('a request is sent before anything is told of it, and what is thrown is told in one line', async () => {
  const order: string[] = [];
  const fail = (): never => {
    order.push('told');
    throw new Error('broken');
  };
  trace.setGlobalTracerProvider({ getTracer: () => ({ startSpan: fail, startActiveSpan: fail }) });
  const { told, log } = telemetry();
  const request = (): Promise<Reply> => {
    order.push('sent');
    return Promise.resolve({ kind: 'result', result: {} });
  };
  assert.deepEqual(await told.sent(EXCHANGE, undefined, request, undefined), { kind: 'result', result: {} });
  assert.equal(await told.answered(EXCHANGE, {}, () => Promise.resolve(DONE)), DONE);
  assert.deepEqual(order, ['sent', 'told', 'told']);
  assert.deepEqual(log, ['telemetry failed, and calls go on without: broken']);
});

test('a provider of metrics that throws stops no call', async () => {
  const fail = (): never => {
    throw new Error('broken');
  };
  metrics.setGlobalMeterProvider({ getMeter: fail });
  const { told, log } = telemetry();
  assert.equal(await told.answered(EXCHANGE, {}, () => Promise.resolve(DONE)), DONE);
  told.malformed();
  told[Symbol.dispose]();
  assert.deepEqual(log, ['telemetry failed, and calls go on without: broken']);
});

test('a bug behind the door stays a bug, and its span ends', async () => {
  const exporter = spans();
  const { told } = telemetry();
  await assert.rejects(
    told.answered(EXCHANGE, {}, () => Promise.reject(new Error('bug'))),
    /bug/u,
  );
  assert.deepEqual(exporter.getFinishedSpans()[0]?.attributes['error.type'], '_OTHER');
});

test('where nobody registered anything, nothing is made of a call', async () => {
  const { told, log } = telemetry();
  const within = await new Promise((resolve) => {
    void told.answered(EXCHANGE, { traceparent: REMOTE }, (given) => {
      resolve(trace.getSpan(given)?.isRecording());
      return Promise.resolve(DONE);
    });
  });
  assert.deepEqual([within, log], [false, []]);
});

test('an exporter that never finishes costs no memory with the calls [R-telemetry]', () => {
  const script = `
    import { trace } from '@opentelemetry/api';
    import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
    import { Telemetry } from './src/gateway/telemetry.ts';
    const stuck = { export() {}, shutdown: () => Promise.resolve(), forceFlush: () => Promise.resolve() };
    const processor = new BatchSpanProcessor(stuck, { maxQueueSize: 256 });
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [processor] }));
    const told = new Telemetry({ version: '0', world: { monotonic: () => 0 }, log: console.error });
    const answer = { call: 'c', state: 'succeeded', replayed: false, output: {} };
    const exchange = { method: 'tools/call', tool: 'bank.pay', name: 'bank__pay' };
    for (let n = 0; n < 60_000; n += 1) await told.answered(exchange, {}, () => Promise.resolve(answer));
    console.log('done');
    process.exit(0);`;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--max-old-space-size=32', '--input-type=module', '--eval', script],
    { cwd: new URL('../../', import.meta.url), encoding: 'utf8' },
  );
  assert.deepEqual([status, stdout], [0, 'done\n'], stderr.slice(0, 500));
});

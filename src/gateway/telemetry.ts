/**
 * What OpenTelemetry is told of calls, where the operator registered a provider: names, states, codes and times. Never an
 * argument, a result, a key, a principal or a word of a server: none of them is handed to this file, but the answer, of
 * which it reads what stands in `endOf` and `errorIn`.
 */

import {
  type Attributes,
  type Context,
  type Counter,
  type Histogram,
  type Meter,
  type ObservableGauge,
  type ObservableResult,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  createTraceState,
  isSpanContextValid,
  metrics,
  trace,
} from '@opentelemetry/api';
import type { Answer } from '../authority/answer.ts';
import { type JsonObject, isJsonObject } from '../value/json.ts';
import type { World } from '../world/world.ts';
import type { Reply } from './peer.ts';

/** One MCP request by its names. */
export interface Exchange {
  readonly method: string;
  /** Policy name. Absent for a tool that nobody offers: such a name is whatever its caller wrote. */
  readonly tool?: string;
  /** The tool as the two sides of this exchange call it; absent for what is no tool. */
  readonly name?: string;
  /** The revision of MCP that both speak. */
  readonly revision?: string;
}

/** Calls that have no outcome yet, in the whole data directory. */
export type OpenCalls = Readonly<Record<'parked' | 'running' | 'unknown', number>>;

export interface TelemetryOptions {
  readonly version: string;
  readonly world: Pick<World, 'monotonic'>;
  /** Takes one line. */
  readonly log: (line: string) => void;
  /** Asked when metrics are collected; without it, or while it rejects, nothing is told of open calls. */
  readonly open?: () => Promise<OpenCalls>;
}

const SCOPE = 'agent-interlock';
/** Semantic conventions for MCP and generative AI 1.40 (in development there; these names are stable here). */
const METHOD = 'mcp.method.name';
const REVISION = 'mcp.protocol.version';
const TRANSPORT = 'network.transport';
const OPERATION = 'gen_ai.operation.name';
const TOOL_NAME = 'gen_ai.tool.name';
const TOOL_CALL_ID = 'gen_ai.tool.call.id';
const ERROR_TYPE = 'error.type';
/** Ours. */
const TOOL = 'interlock.tool';
const CALL = 'interlock.call';
const STATE = 'interlock.state';
const REPLAYED = 'interlock.replayed';
const EFFECT = 'interlock.decision.effect';
const CODE = 'interlock.decision.code';

/** Seconds, as the conventions advise. */
const BUCKETS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
const TRACEPARENT = /^00-(?<trace>[0-9a-f]{32})-(?<span>[0-9a-f]{16})-(?<flags>[0-9a-f]{2})$/u;

interface Instruments {
  readonly tracer: Tracer;
  readonly served: Histogram;
  readonly asked: Histogram;
  readonly decisions: Counter;
  readonly open: ObservableGauge;
}

/**
 * Guarantees: nothing here waits, queues or throws. What a provider, a sampler or an exporter throws is told in one line
 * of the log, the first time, and calls go on as without them.
 */
export class Telemetry implements Disposable {
  readonly #options: TelemetryOptions;
  readonly #instruments: Instruments | undefined;
  #hasFailed = false;

  constructor(options: TelemetryOptions) {
    this.#options = options;
    this.#instruments = this.#contained(() => {
      const meter = metrics.getMeter(SCOPE, options.version);
      return instruments(trace.getTracer(SCOPE, options.version), meter);
    });
    this.#contained(() => this.#instruments?.open.addCallback(this.#observe));
  }

  /** From the request until its answer; the caller's own trace goes on, where its `_meta` names one. */
  async answered(exchange: Exchange, meta: JsonObject, answer: (within: Context) => Promise<Answer>): Promise<Answer> {
    const since = this.#options.world.monotonic();
    const about = attributesOf(exchange);
    const span = this.#start(exchange, SpanKind.SERVER, about, this.#contained(() => parentIn(meta)) ?? ROOT_CONTEXT);
    let answered: Answer | undefined;
    try {
      answered = await answer(span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span));
      return answered;
    } finally {
      const end = answered === undefined ? {} : endOf(answered);
      const error = answered === undefined ? '_OTHER' : errorIn(answered);
      this.#contained(() => this.#instruments?.served.record(this.#seconds(since), withError(about, error)));
      if (answered?.replayed === false) this.#decided(exchange.tool, end[EFFECT], end[CODE]);
      this.#end(span, end, error);
    }
  }

  /** From the sending of a request until its reply. `request` is invoked first and at once: nothing comes between. */
  async sent(
    exchange: Exchange,
    within: Context | undefined,
    request: () => Promise<Reply>,
    failed: ((result: JsonObject) => boolean) | undefined,
  ): Promise<Reply> {
    const since = this.#options.world.monotonic();
    const replied = request();
    const about = attributesOf(exchange);
    const span = this.#start(exchange, SpanKind.CLIENT, about, within ?? ROOT_CONTEXT);
    let error: string | undefined = '_OTHER';
    try {
      const reply = await replied;
      error = errorOf(reply, failed);
      return reply;
    } finally {
      const type = error;
      this.#contained(() => this.#instruments?.asked.record(this.#seconds(since), withError(about, type)));
      this.#end(span, {}, type);
    }
  }

  /** A line or a request that could not become a call. */
  malformed(): void {
    this.#decided(undefined, 'deny', 'malformed');
  }

  [Symbol.dispose](): void {
    this.#contained(() => this.#instruments?.open.removeCallback(this.#observe));
  }

  readonly #observe = async (result: ObservableResult): Promise<void> => {
    const open = await this.#options.open?.().catch(() => undefined);
    for (const [state, count] of Object.entries(open ?? {})) result.observe(count, { [STATE]: state });
  };

  #start({ method, name }: Exchange, kind: SpanKind, attributes: Attributes, within: Context): Span | undefined {
    const title = name === undefined ? method : `${method} ${name}`;
    return this.#contained(() => this.#instruments?.tracer.startSpan(title, { kind, attributes }, within));
  }

  #end(span: Span | undefined, attributes: Attributes, error: string | undefined): void {
    this.#contained(() => {
      if (span?.isRecording() === true) {
        span.setAttributes(withError(attributes, error));
        if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
      }
    });
    this.#contained(() => span?.end());
  }

  #decided(tool: string | undefined, effect: unknown, code: unknown): void {
    const named = tool === undefined ? {} : { [TOOL]: tool };
    const attributes = { ...named, [EFFECT]: String(effect), [CODE]: String(code) };
    this.#contained(() => this.#instruments?.decisions.add(1, attributes));
  }

  #seconds(since: number): number {
    return (this.#options.world.monotonic() - since) / 1_000;
  }

  #contained<T>(tell: () => T): T | undefined {
    try {
      return tell();
    } catch (error) {
      if (!this.#hasFailed) {
        const why = error instanceof Error ? error.message : 'something that is no error was thrown';
        this.#options.log(`telemetry failed, and calls go on without: ${why}`);
      }
      this.#hasFailed = true;
      return undefined;
    }
  }
}

function instruments(tracer: Tracer, meter: Meter): Instruments {
  const duration = { unit: 's', advice: { explicitBucketBoundaries: BUCKETS } };
  return {
    tracer,
    served: meter.createHistogram('mcp.server.operation.duration', {
      ...duration,
      description: 'from a request until its answer',
    }),
    asked: meter.createHistogram('mcp.client.operation.duration', {
      ...duration,
      description: 'from the sending of a request until its reply',
    }),
    decisions: meter.createCounter('interlock.decisions', {
      unit: '{decision}',
      description: 'decisions that callers were told of',
    }),
    open: meter.createObservableGauge('interlock.calls.open', {
      unit: '{call}',
      description: 'calls of the data directory that have no outcome yet',
    }),
  };
}

function attributesOf({ method, tool, name, revision }: Exchange): Attributes {
  return {
    [METHOD]: method,
    [TRANSPORT]: 'pipe',
    ...(method === 'tools/call' ? { [OPERATION]: 'execute_tool' } : {}),
    ...(name === undefined ? {} : { [TOOL_NAME]: name }),
    ...(tool === undefined ? {} : { [TOOL]: tool }),
    ...(revision === undefined ? {} : { [REVISION]: revision }),
  };
}

/** An answer from the record was not decided now. */
function endOf({ call, state, replayed, decision }: Answer): Attributes {
  const said = decision ?? (replayed ? undefined : { effect: 'allow', code: 'allowed' });
  return {
    [CALL]: call,
    [TOOL_CALL_ID]: call,
    [STATE]: state,
    [REPLAYED]: replayed,
    ...(said === undefined ? {} : { [EFFECT]: said.effect, [CODE]: said.code }),
  };
}

/** The class of what went wrong: a call that waits for a person has not. */
function errorIn({ state, decision, output }: Answer): string | undefined {
  if (decision?.effect === 'deny') return decision.code;
  return state === 'failed' ? classOf(output ?? {}) : undefined;
}

function errorOf(reply: Reply, failed: ((result: JsonObject) => boolean) | undefined): string | undefined {
  switch (reply.kind) {
    case 'result':
      return failed?.(reply.result) === true ? 'tool_error' : undefined;
    case 'error':
      return String(reply.error.code);
    case 'not-sent':
    case 'lost':
      return reply.kind;
  }
}

/** The code of a JSON-RPC error, of which nothing else is told. */
function classOf({ isError, error }: JsonObject): string {
  const code = isError !== true && isJsonObject(error) ? error['code'] : undefined;
  return typeof code === 'number' ? String(code) : 'tool_error';
}

function withError(attributes: Attributes, error: string | undefined): Attributes {
  return error === undefined ? attributes : { ...attributes, [ERROR_TYPE]: error };
}

/** The W3C trace context in a request's `_meta`; a new trace where it is none. Baggage is left: it says anything. */
function parentIn({ traceparent, tracestate }: JsonObject): Context {
  const parts = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.groups : undefined;
  const parent = {
    traceId: parts?.['trace'] ?? '',
    spanId: parts?.['span'] ?? '',
    traceFlags: Number.parseInt(parts?.['flags'] ?? '0', 16) & 1,
    isRemote: true,
    // Longer than 512 characters it is left out; so are members of another form, and those after the 32nd.
    ...(typeof tracestate === 'string' ? { traceState: createTraceState(tracestate) } : {}),
  };
  return isSpanContextValid(parent) ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
}

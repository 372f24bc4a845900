/**
 * Preloaded into a real gateway by `--import`: registers the real OpenTelemetry SDK. At SIGUSR2 it writes all that was
 * exported so far to the file that `OTEL_DUMP` names; with `OTEL_BROKEN` everything that is registered throws.
 */

import { renameSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { type TracerProvider, metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';

/** What a span says, as the tests read it. */
export interface ToldSpan {
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number; readonly message?: string };
  readonly trace: string;
  readonly id: string;
  readonly parent?: string;
  readonly state?: string;
  /** Nothing of ours has any. */
  readonly more: unknown;
}

export interface Told {
  readonly spans: readonly ToldSpan[];
  /** The points of the last collection, by instrument. */
  readonly metrics: Readonly<Record<string, readonly { attributes: Record<string, unknown>; value: unknown }[]>>;
}

function toldSpan(span: ReadableSpan): ToldSpan {
  const { spanId, traceId, traceState } = span.spanContext();
  const { name, kind, attributes, status, parentSpanContext: parent, events, links } = span;
  return {
    name,
    kind,
    attributes,
    status,
    trace: traceId,
    id: spanId,
    ...(parent === undefined ? {} : { parent: parent.spanId }),
    ...(traceState === undefined ? {} : { state: traceState.serialize() }),
    more: { events, links },
  };
}

const broken = (): never => {
  throw new Error('this provider is broken');
};
const BROKEN: SpanProcessor = { onStart: broken, onEnd: broken, forceFlush: broken, shutdown: broken };

function register(dump: string): void {
  const spans = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  const points = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 });
  const meters = new MeterProvider({ readers: [reader] });
  metrics.setGlobalMeterProvider(meters);
  const write = async (): Promise<void> => {
    await meters.forceFlush();
    const last =
      points
        .getMetrics()
        .at(-1)
        ?.scopeMetrics.flatMap((scope) => scope.metrics) ?? [];
    const told: Told = {
      spans: spans.getFinishedSpans().map(toldSpan),
      metrics: Object.fromEntries(
        last.map(({ descriptor, dataPoints }) => [
          descriptor.name,
          dataPoints.map(({ attributes, value }) => ({ attributes, value })),
        ]),
      ),
    };
    writeFileSync(`${dump}.part`, JSON.stringify(told));
    renameSync(`${dump}.part`, dump);
  };
  process.on('SIGUSR2', () => void write());
}

const { OTEL_DUMP: dump, OTEL_BROKEN: isBroken } = process.env;
// The ledger's thread is preloaded as well.
if (isMainThread && isBroken !== undefined) {
  const provider: TracerProvider = new BasicTracerProvider({ spanProcessors: [BROKEN] });
  trace.setGlobalTracerProvider(provider);
  metrics.setGlobalMeterProvider({ getMeter: broken });
} else if (isMainThread && dump !== undefined) register(dump);

/** A stand-in for the HTTP APIs of models: OpenAI's two and Anthropic's, answering as a test says, on this machine. */

import { type IncomingHttpHeaders, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { JsonObject } from '../src/value/json.ts';

/** What it answers: a text, an HTTP error, bytes of its own, or nothing, with the connection left open or cut. */
export type ModelAnswer =
  | { readonly text: string; readonly input?: number; readonly output?: number; readonly stop?: 'length' | 'filter' }
  | { readonly status: number; readonly body: string }
  | 'hang'
  | 'cut';

export interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: JsonObject;
  /** The body as it came. */
  readonly text: string;
}

export interface ModelServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  /** What came, in order. */
  readonly asked: readonly Asked[];
  /** Resolves once the next request has come. */
  next(): Promise<Asked>;
}

/** Answers each request with what `answer` gives for it. */
export async function modelServer(answer: (asked: Asked) => ModelAnswer): Promise<ModelServer> {
  const asked: Asked[] = [];
  const waiting: ((one: Asked) => void)[] = [];
  const open = new Set<Socket>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString('utf8');
      const one = { path: request.url ?? '', headers: request.headers, body: JSON.parse(text) as JsonObject, text };
      asked.push(one);
      for (const wake of waiting.splice(0)) wake(one);
      const said = answer(one);
      if (said === 'hang') return;
      if (said === 'cut') return void request.socket.destroy();
      const { status, body } = 'status' in said ? said : { status: 200, body: JSON.stringify(FORMS[one.path]?.(said)) };
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  server.on('connection', (socket: Socket) => open.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

type Said = Extract<ModelAnswer, { readonly text: string }>;

/** By path, an answer as that API writes it. */
const FORMS: Readonly<Record<string, (said: Said) => JsonObject>> = {
  '/v1/responses': ({ text, input = 3, output = 2, stop }) => ({
    id: 'resp_1',
    object: 'response',
    created_at: 1_795_000_000,
    status: stop === undefined ? 'completed' : 'incomplete',
    incomplete_details:
      stop === undefined ? null : { reason: stop === 'length' ? 'max_output_tokens' : 'content_filter' },
    model: 'gpt-stand-in',
    output: [
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text, annotations: [] }],
      },
    ],
    usage: { input_tokens: input, output_tokens: output, total_tokens: input + output },
  }),
  '/v1/chat/completions': ({ text, input, output, stop }) => ({
    id: 'chat_1',
    object: 'chat.completion',
    created: 1_795_000_000,
    model: 'local-stand-in',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text },
        finish_reason: stop === undefined ? 'stop' : stop === 'length' ? 'length' : 'content_filter',
      },
    ],
    // Many a local server tells no usage.
    ...(input === undefined || output === undefined
      ? {}
      : { usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } }),
  }),
  '/v1/messages': ({ text, input = 3, output = 2, stop }) => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-stand-in',
    content: [{ type: 'text', text }],
    stop_reason: stop === undefined ? 'end_turn' : stop === 'length' ? 'max_tokens' : 'refusal',
    stop_sequence: null,
    usage: { input_tokens: input, output_tokens: output },
  }),
};

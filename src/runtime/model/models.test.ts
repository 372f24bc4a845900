import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { createManualWorld } from '../../../test/manual-world.ts';
import { type ModelAnswer, modelServer } from '../../../test/model-server.ts';
import { Scratch } from '../../../test/cli/command.ts';
import type { Performed } from '../../authority/answer.ts';
import { parseConfiguration } from '../../policy/document/configuration.ts';
import type { JsonObject } from '../../value/json.ts';
import { systemWorld } from '../../world/system.ts';
import { type ModelsOptions, openModels } from './models.ts';
import { microUsdOf } from './reply.ts';

const KEY = 'sk-canary-0123456789';
/** Another query makes the modules new, and what they load. */
const FRESH: string = './models.ts?missing';
const SECONDS_10 = 10_000;

const OPTIONS: ModelsOptions = {
  world: systemWorld,
  environment: { OPENAI_API_KEY: KEY, ANTHROPIC_API_KEY: KEY, LOCAL_KEY: KEY },
  directory: '/',
};

/** Asks the model `m` that `model` configures. */
async function ask(model: string, args: JsonObject = { prompt: 'refund?' }, options = OPTIONS): Promise<Performed> {
  const parsed = parseConfiguration(`interlock: 1\nmodels: { m: ${model} }\n`, { file: 'f', environment: {} });
  assert.ok(parsed.ok, parsed.issues[0]?.message);
  const reached = openModels(parsed.value.models, options)('llm.m', SECONDS_10) ?? assert.fail('it is not reached');
  return reached.perform(args);
}

const SERVED: readonly (readonly [provider: string, path: string, model: string])[] = [
  ['openai', '/v1/responses', 'gpt-stand-in'],
  ['anthropic', '/v1/messages', 'claude-stand-in'],
  ['openai-compatible', '/v1/chat/completions', 'local-stand-in'],
];
const PRICE = 'price: { input: 2.5, output: 10 }';

function served(provider: string, url: string, more = PRICE): string {
  return `{ provider: ${provider}, model: x, url: "${url}", ${more} }`;
}

function told(performed: Performed): JsonObject {
  assert.ok('output' in performed, 'reason' in performed ? performed.reason : '');
  return performed.output['structuredContent'] as JsonObject;
}

for (const [provider, path, model] of SERVED) {
  test(`a model of ${provider} is asked once, with the prompt, and answers with what it took`, async () => {
    await using server = await modelServer(() => ({ text: 'refund', input: 11, output: 3 }));
    const performed = await ask(served(provider, server.url));
    const content = [{ type: 'text', text: 'refund' }];
    // 11 × 2.5 + 3 × 10 millionths of a dollar, rounded up.
    const structuredContent = { text: 'refund', model, tokens: { input: 11, output: 3 }, microUsd: 58 };
    assert.deepEqual(performed, { kind: 'succeeded', output: { content, structuredContent } });
    assert.deepEqual(
      server.asked.map((one) => one.path),
      [path],
    );
    assert.ok(server.asked[0]?.text.includes('"refund?"'));
  });

  test(`an error of ${provider} is told by its status and its word, and never by its message`, async () => {
    const body = JSON.stringify({ error: { message: `no ${KEY}, ask bob@example.com`, type: 'overloaded_error' } });
    await using server = await modelServer(() => ({ status: 529, body }));
    const performed = await ask(served(provider, server.url));
    assert.equal(performed.kind, 'failed');
    assert.deepEqual(told(performed)['tokens'], { input: 0, output: 0 });
    assert.ok(JSON.stringify(performed).includes('the provider answered 529 (overloaded_error)'));
    assert.doesNotMatch(JSON.stringify(performed), /canary|bob/u);
    assert.equal(server.asked.length, 1, 'the SDK repeats nothing');
  });

  test(`what ${provider} does not end is failed, and is charged`, async () => {
    for (const stop of ['length', 'filter'] as const) {
      await using server = await modelServer(() => ({ text: 'half of', input: 9, output: 8, stop }));
      const performed = await ask(served(provider, server.url));
      assert.equal(performed.kind, 'failed', stop);
      assert.deepEqual([told(performed)['tokens'], told(performed)['text']], [{ input: 9, output: 8 }, '']);
    }
    await using silent = await modelServer(() => ({ text: '  ', input: 9, output: 1 }));
    assert.equal((await ask(served(provider, silent.url))).kind, 'failed');
  });

  test(`what was sent to ${provider} and is lost is unknown, what was never sent is not started`, async () => {
    await using cutting = await modelServer(() => 'cut');
    assert.equal((await ask(served(provider, cutting.url))).kind, 'unknown');
    const gone = await modelServer(() => 'cut');
    await gone[Symbol.asyncDispose]();
    assert.equal((await ask(served(provider, gone.url))).kind, 'not-started');
    const options = { ...OPTIONS, resolver: () => Promise.resolve([]) };
    assert.equal((await ask(served(provider, 'http://nobody.example/v1'), undefined, options)).kind, 'not-started');
  });

  test(`${provider} is given up when the time is over, by the clock of the world`, async () => {
    const world = createManualWorld();
    await using server = await modelServer(() => 'hang');
    const came = server.next();
    const asked = ask(served(provider, server.url), undefined, { ...OPTIONS, world });
    await came;
    let isOver = false;
    void asked.then(() => (isOver = true));
    world.advance(SECONDS_10 - 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(isOver, false);
    world.advance(1);
    const performed = await asked;
    assert.deepEqual(
      [performed.kind, 'reason' in performed && performed.reason],
      ['unknown', 'timeout: it took too long'],
    );
  });

  test(`a schema is passed on to ${provider}, and JSON comes back as text`, async () => {
    const schema = { type: 'object', properties: { kind: { type: 'string' } }, required: ['kind'] };
    await using server = await modelServer(() => ({ text: '{"kind":"refund"}' }));
    const performed = await ask(served(provider, server.url), { prompt: 'refund?', schema });
    assert.equal(told(performed)['text'], '{"kind":"refund"}');
    assert.ok(server.asked[0]?.text.includes('"kind"'), server.asked[0]?.text);
  });

  test(`an answer of ${provider} that cannot be read is failed, with the tokens that it says`, async () => {
    const bodies = ['<html>', '{}', JSON.stringify({ usage: { input_tokens: 5, prompt_tokens: 5, output_tokens: 1 } })];
    const answers: ModelAnswer[] = bodies.map((body) => ({ status: 200, body }));
    await using server = await modelServer(() => answers.shift() ?? 'cut');
    const ends = [];
    for (const _ of bodies) ends.push(await ask(served(provider, server.url)));
    assert.deepEqual(
      ends.map(({ kind }) => kind),
      ['failed', 'failed', 'failed'],
    );
    assert.equal((told(ends[2] ?? assert.fail())['tokens'] as JsonObject)['input'], 5);
  });
}

test('the key goes to the provider and nowhere else: one that is sent back is cut out [R-model-key]', async () => {
  await using server = await modelServer(({ headers }) => ({
    text: `you said ${JSON.stringify([headers.authorization, headers['x-api-key']])}`,
  }));
  for (const [provider] of SERVED) {
    const performed = await ask(served(provider, server.url, 'apiKeyEnv: LOCAL_KEY'));
    assert.doesNotMatch(JSON.stringify(performed), /canary/u);
    assert.match(JSON.stringify(performed), /\[secret: api-key\]/u);
  }
  assert.deepEqual(
    server.asked.map(({ headers }) => headers.authorization ?? headers['x-api-key']),
    [`Bearer ${KEY}`, KEY, `Bearer ${KEY}`],
  );
  const redirecting = await modelServer(() => ({ status: 307, body: '' }));
  await using _ = redirecting;
  assert.equal((await ask(served('openai', redirecting.url))).kind, 'failed');
  assert.equal(redirecting.asked.length, 1);
});

test('without its key a model is not asked; one that needs none is', async () => {
  await using server = await modelServer(() => ({ text: 'ok' }));
  const options = { ...OPTIONS, environment: {} };
  for (const model of [served('openai', server.url), served('openai-compatible', server.url, 'apiKeyEnv: MY_KEY')]) {
    const performed = await ask(model, undefined, options);
    assert.ok(performed.kind === 'not-started');
    assert.match(performed.reason, /^the environment variable `(OPENAI_API_KEY|MY_KEY)`, .* is not set$/u);
  }
  assert.equal(server.asked.length, 0);
  assert.equal((await ask(served('openai-compatible', server.url), undefined, options)).kind, 'succeeded');
  assert.equal(server.asked[0]?.headers.authorization, undefined);
});

test('a provider at its own address is never one of this machine or its networks', async () => {
  const resolver = (): Promise<readonly string[]> => Promise.resolve(['127.0.0.1']);
  for (const provider of ['openai', 'anthropic']) {
    const performed = await ask(`{ provider: ${provider}, model: x }`, undefined, { ...OPTIONS, resolver });
    assert.ok(performed.kind === 'not-started');
    assert.match(performed.reason, /^address-private: `api\.(openai|anthropic)\.com` leads there/u);
  }
});

test('an answer has the tokens that it took, one for each byte where the provider does not tell [R-model-tokens]', async () => {
  await using server = await modelServer(() => ({ text: 'ja, né' }));
  const performed = await ask(served('openai-compatible', server.url));
  assert.deepEqual(told(performed)['tokens'], { input: 7, output: 7 });
});

test('money is rounded up, never below what the tokens cost', () => {
  const price = fc.integer({ min: 0, max: 100_000_000 }).map((parts) => parts / 1e6);
  const count = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(count, count, price, price, (input, output, perInput, perOutput) => {
      const cost =
        BigInt(input) * BigInt(Math.round(perInput * 1e6)) + BigInt(output) * BigInt(Math.round(perOutput * 1e6));
      const micro = BigInt(microUsdOf({ input, output }, { input: perInput, output: perOutput }));
      assert.ok(micro * 1_000_000n >= cost && (micro - 1n) * 1_000_000n < cost);
    }),
  );
});

test('a package that is not installed is told with the command that installs it', async () => {
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      if (!specifier.startsWith('@ai-sdk/')) return next(specifier, context);
      throw Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });
  try {
    const fresh = (await import(FRESH)) as { readonly openModels: typeof openModels };
    const parsed = parseConfiguration('interlock: 1\nmodels: { m: { provider: openai, model: x } }\n', {
      file: 'f',
      environment: {},
    });
    assert.ok(parsed.ok);
    const performed = await fresh.openModels(parsed.value.models, OPTIONS)('llm.m')?.perform({ prompt: 'x' });
    assert.deepEqual(performed, {
      kind: 'not-started',
      reason: 'the package `@ai-sdk/openai` is not installed: `npm install @ai-sdk/openai`',
    });
  } finally {
    hooks.deregister();
  }
});

test('a script answers by what stands in the prompt, and each answer as often as it says', async () => {
  using scratch = new Scratch();
  const script = `answers:
  - { prompt: hello, text: nonsense, times: 1 }
  - { prompt: hello, json: { b: 1, a: [2] }, tokens: { input: 4, output: 2 } }
  - { prompt: bye, error: unknown, reason: it hung up }
  - { prompt: no, error: failed, tokens: { input: 1, output: 0 } }
  - { prompt: never, error: not-started }
`;
  writeFileSync(join(scratch.path, 'answers.yaml'), script);
  const parsed = parseConfiguration(
    `interlock: 1\nmodels: { m: { provider: scripted, file: answers.yaml, ${PRICE} } }\n`,
    { file: 'f', environment: {} },
  );
  assert.ok(parsed.ok);
  const reach = openModels(parsed.value.models, { ...OPTIONS, directory: scratch.path });
  const said = async (prompt: string): Promise<unknown> => {
    const performed = await reach('llm.m')?.perform({ prompt });
    assert.ok(performed !== undefined);
    if ('reason' in performed) return [performed.kind, performed.reason];
    const { text, tokens, microUsd } = told(performed);
    return [performed.kind, text, tokens, microUsd];
  };
  assert.deepEqual(await said('hello you'), ['succeeded', 'nonsense', { input: 0, output: 0 }, 0]);
  const again = ['succeeded', '{"a":[2],"b":1}', { input: 4, output: 2 }, 30];
  assert.deepEqual([await said('hello you'), await said('hello')], [again, again]);
  assert.deepEqual(await said('bye'), ['unknown', 'it hung up']);
  assert.deepEqual(await said('no'), ['failed', '', { input: 1, output: 0 }, 3]);
  assert.deepEqual(await said('never'), ['not-started', 'the script says so']);
  assert.deepEqual(await said('else'), ['failed', '', { input: 0, output: 0 }, 0]);
  assert.equal(reach('llm.other'), undefined);
  assert.equal(reach('crm.m'), undefined);
});

test('a script that cannot be used is told with its place, and no answer is made up', async () => {
  using scratch = new Scratch();
  const told = async (text: string | undefined): Promise<string> => {
    if (text !== undefined) writeFileSync(join(scratch.path, 'a.yaml'), text);
    const performed = await ask('{ provider: scripted, file: a.yaml }', undefined, {
      ...OPTIONS,
      directory: scratch.path,
    });
    assert.ok(performed.kind === 'not-started');
    return performed.reason;
  };
  assert.equal(await told(undefined), 'its script `a.yaml` cannot be read');
  assert.match(await told('answers:\n  - { txt: x }\n'), /^its script `a\.yaml` cannot be used: 2:7: .*`txt`/u);
  assert.match(await told('answers:\n  - { text: x, json: 1 }\n'), /2:5: expected an answer to have one of/u);
  assert.match(await told('answers: [{ text: x, times: 0 }]\n'), /1:29: /u);
  assert.match(await told('answers: [{ error: lost }]\n'), /1:20: .*`failed`/u);
  assert.match(await told('answers: [{ tokens: { input: -1 } }]\n'), /1:30: /u);
});

/** Programs over MCP: the official client, real gateways and servers, one data directory. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { verified, paymentsPlace, type PaymentsPlace } from './gateway-process.ts';
import { PAY, ProgramHost, TWICE, programFile } from './program-host.ts';

const ALLOWED = `  - allow: interlock.*
programs:
  pay: { file: pay.yaml, as: tool }
  twice: { file: twice.yaml }
`;

function programsPlace(more = ALLOWED): PaymentsPlace {
  const place = paymentsPlace({ more });
  writeFileSync(programFile(place.directory, 'pay.yaml'), PAY);
  writeFileSync(programFile(place.directory, 'twice.yaml'), TWICE);
  return place;
}

const OWN =
  'run_program resume_run get_run list_runs cancel_run save_program list_programs get_program delete_program check_program';

test('a host runs a program, resumes it once, and asks after it [R-program-tools]', async () => {
  using place = programsPlace();
  await using host = await ProgramHost.start(place.directory);
  const names = await host.names();
  for (const name of OWN.split(' ')) assert.ok(names.includes(`interlock__${name}`), name);
  const started = await host.call('run_program', { program: 'pay', input: { charge: 'ch_1' } }, 'key-1');
  const { run, status, waits } = started.told as { run: string; status: string; waits: readonly { of: string }[] };
  assert.deepEqual([started.isError, status, waits[0]?.of], [false, 'suspended', 'confirmed'], started.text);
  // The same call under its key is answered from the log, and starts nothing.
  const again = await host.call('run_program', { program: 'pay', input: { charge: 'ch_1' } }, 'key-1');
  assert.deepEqual([again.told['run'], again.meta['interlock/call']?.['replayed']], [run, true]);
  assert.deepEqual(place.paid(), ['ch_1']);

  const bad = await host.call('resume_run', { run, event: 'confirmed', payload: { by: 5 }, id: 'bad' });
  assert.deepEqual([bad.isError, bad.told['code'], typeof bad.told['hint']], [true, 'event-invalid', 'string']);
  const early = await host.call('resume_run', { run, event: 'other' });
  assert.equal(early.told['code'], 'not-waiting');
  const event = { run, event: 'confirmed', payload: { by: 'ann' }, id: 'once' };
  const resumed = await host.call('resume_run', event);
  assert.deepEqual([resumed.told['status'], resumed.told['outcome']], ['success', 'moved'], resumed.text);
  assert.match(JSON.stringify(resumed.told['output']), /"by":"ann"/u);
  const twice = await host.call('resume_run', event);
  assert.deepEqual([twice.isError, twice.told['code']], [true, 'over']);

  const listed = (await host.call('list_runs')).told['runs'] as readonly { run: string; status: string }[];
  assert.deepEqual(
    listed.map((one) => [one.run, one.status]),
    [[run, 'success']],
  );
  assert.deepEqual((await host.call('list_runs', { open: true })).told['runs'], []);
  assert.equal((await host.call('get_run', { run })).told['status'], 'success');
});

test('a run that waits is cancelled by its host, and only once it is over nothing moves it [R-program-tools]', async () => {
  using place = programsPlace();
  await using host = await ProgramHost.start(place.directory);
  const { run } = (await host.call('run_program', { program: 'pay', input: { charge: 'ch_1' } })).told;
  assert.equal((await host.call('cancel_run', { run })).told['status'], 'cancelled');
  assert.equal((await host.call('cancel_run', { run })).told['status'], 'cancelled');
  const late = await host.call('resume_run', { run, event: 'confirmed', payload: { by: 'eve' } });
  assert.deepEqual([late.isError, late.told['code']], [true, 'over']);
});

test('a program that is a tool takes its input and answers with its output [R-program-as-tool]', async () => {
  using place = programsPlace();
  await using host = await ProgramHost.start(place.directory);
  const { tools } = await host.client.listTools();
  const tool = tools.find(({ name }) => name === 'interlock__pay');
  assert.deepEqual(tool?.inputSchema.required, ['charge']);
  assert.equal(
    tools.some(({ name }) => name === 'interlock__twice'),
    false,
  );
  const waits = await host.call('pay', { charge: 'ch_1' }, 'order-1');
  const { run, status } = waits.meta['interlock/run'] ?? {};
  assert.deepEqual([waits.isError, status, waits.told['status']], [false, 'suspended', 'suspended']);
  assert.match(waits.text, /waits for the event confirmed/u);
  await host.call('resume_run', { run, event: 'confirmed', payload: { by: 'ann' } });
  const wrong = await host.call('pay', { amount: 5 });
  assert.deepEqual([wrong.isError, wrong.meta['interlock/decision']?.['code']], [true, 'schema-mismatch']);
  assert.deepEqual(place.paid(), ['ch_1']);
});

test('a gateway that is killed in the middle of a run leaves it to the next one [R-program-tools]', async () => {
  using place = programsPlace();
  writeFileSync(place.hold, '');
  const doomed = await ProgramHost.start(place.directory);
  const lost = doomed.call('run_program', { program: 'twice' }, 'k').catch(() => undefined);
  while (place.paid().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await doomed.kill();
  await lost;
  rmSync(place.hold);
  await using host = await ProgramHost.start(place.directory);
  const [only] = (await host.call('list_runs')).told['runs'] as readonly { run: string }[];
  // The payment may have been made: a person says so, and the run goes on without making it again.
  const stands = await host.until(only?.run, (status) => status === 'suspended');
  const [wait] = stands.told['waits'] as readonly { kind: string; of: string }[];
  assert.deepEqual([wait?.kind, place.paid()], ['settlement', ['ch_1']]);
  // The same call again finds the run that it began.
  const again = await host.call('run_program', { program: 'twice' }, 'k');
  assert.deepEqual([again.told['run'], again.told['status']], [only?.run, 'suspended'], again.text);
  assert.equal(verified(place).verdict, 'ok');
});

test('at the end of its input a gateway lets what runs end, begins nothing more, and the next one goes on [R-program-tools]', async () => {
  using place = programsPlace();
  writeFileSync(place.hold, '');
  const first = await ProgramHost.start(place.directory);
  const lost = first.call('run_program', { program: 'twice' }).catch(() => undefined);
  while (place.paid().length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const closing = first[Symbol.asyncDispose]();
  setTimeout(() => rmSync(place.hold), 300);
  await closing;
  await lost;
  assert.equal(existsSync(place.hold), false);
  assert.deepEqual(place.paid(), ['ch_1']);
  await using host = await ProgramHost.start(place.directory);
  const [only] = (await host.call('list_runs')).told['runs'] as readonly { run: string }[];
  const ended = await host.until(only?.run, (status) => status !== 'running');
  assert.deepEqual([ended.told['status'], place.paid()], ['success', ['ch_1', 'ch_2']], ended.text);
});

test('nothing of programs is listed or allowed without a rule, and what is for programs is for nobody else [R-program-tools-denied]', async () => {
  const programs = 'programs: { pay: { file: pay.yaml, as: tool }, twice: { file: twice.yaml } }';
  using place = programsPlace(`  - allow: interlock.run_program\n    when: args.program == "twice"\n${programs}`);
  await using host = await ProgramHost.start(place.directory);
  const own = (await host.names()).filter((name) => name.startsWith('interlock__'));
  assert.deepEqual(own, ['interlock__get_call', 'interlock__run_program']);
  const codeOf = (told: { meta: Readonly<Record<string, Readonly<Record<string, unknown>>>> }): unknown =>
    told.meta['interlock/decision']?.['code'];
  for (const name of [...OWN.split(' ').slice(1), 'pay', 'ask', 'nothing']) {
    assert.equal(codeOf(await host.call(name, {})), 'unknown-tool', name);
  }
  const model = await host.client.callTool({ name: 'llm__support', arguments: { prompt: 'hello' } });
  assert.match(JSON.stringify(model), /unknown-tool/u);
  assert.equal(codeOf(await host.call('run_program', { program: 'pay', input: { charge: 'ch_1' } })), 'no-rule');
  assert.deepEqual(place.paid(), []);
});

test('a host checks, saves, runs, replaces and deletes programs of its own [R-program-own]', async () => {
  using place = programsPlace();
  await using host = await ProgramHost.start(place.directory);
  const checked = await host.call('check_program', { text: PAY.replace('next: wait', 'next: wiat') });
  const [issue] = checked.told['issues'] as readonly { code: string; line: number; column: number }[];
  assert.deepEqual([checked.isError, checked.told['ok'], issue?.code, issue?.line], [false, false, 'step-unknown', 14]);
  const bad = await host.call('save_program', { text: 'program: x' });
  assert.deepEqual([bad.isError, bad.told['code'], Array.isArray(bad.told['issues'])], [true, 'program-invalid', true]);
  const secret = TWICE.replace('to: a }', `to: ghp_${'a1B2'.repeat(9)} }`);
  assert.equal((await host.call('save_program', { text: secret })).told['code'], 'secret-found');
  // Its own `pay` is not the one of the configuration.
  const mine = PAY.replace('"${{ input.charge }}"', 'mine');
  const saved = await host.call('save_program', { text: mine });
  assert.equal(saved.told['program'], 'saved/pay', saved.text);
  const programs = (await host.call('list_programs')).told['programs'] as readonly { program: string }[];
  assert.deepEqual(
    programs.map(({ program }) => program),
    ['pay', 'twice', 'saved/pay'],
  );
  assert.match(String((await host.call('get_program', { program: 'saved/pay' })).told['text']), /"mine"/u);
  const { run } = (await host.call('run_program', { program: 'saved/pay', input: { charge: 'ch_1' } })).told;
  assert.deepEqual(place.paid(), ['mine']);
  assert.equal((await host.call('delete_program', { program: 'saved/pay' })).told['deleted'], true);
  const gone = await host.call('run_program', { program: 'saved/pay', input: { charge: 'ch_1' } });
  assert.deepEqual([gone.told['code'], typeof gone.told['hint']], ['no-such-program', 'string']);
  // Its run has what it was started with.
  const resumed = await host.call('resume_run', { run, event: 'confirmed', payload: { by: 'ann' } });
  assert.equal(resumed.told['status'], 'success');
  for (const program of ['saved/nothing', 'saved/', '../twice.yaml', 'saved/../x', '', 'pay\u0000', 5]) {
    const refused = await host.call('get_program', { program });
    assert.equal(refused.isError, true, String(program));
  }
  for (const odd of ['', 'x'.repeat(64), '01a20032-7299-701d-a30e-8ea9de0d66ac', '../', { $body: 'x' }]) {
    assert.equal((await host.call('get_run', { run: odd })).isError, true);
    assert.equal((await host.call('cancel_run', { run: odd })).isError, true);
    assert.equal((await host.call('resume_run', { run: odd, event: 'confirmed' })).isError, true);
  }
  assert.equal(verified(place).verdict, 'ok');
});

test('two principals on one data directory know nothing of what the other has run or saved [R-program-own]', async () => {
  using place = programsPlace();
  const policy = readFileSync(programFile(place.directory, 'interlock.yaml'), 'utf8');
  writeFileSync(programFile(place.directory, 'eve.yaml'), `${policy}principal: eve\n`);
  await using ann = await ProgramHost.start(place.directory);
  await using eve = await ProgramHost.start(place.directory, '-c', 'eve.yaml', '--data', '.interlock');
  const { run } = (await ann.call('run_program', { program: 'pay', input: { charge: 'ch_1' } })).told;
  await ann.call('save_program', { text: TWICE });
  const codes = [
    await eve.call('get_run', { run }),
    await eve.call('cancel_run', { run }),
    await eve.call('resume_run', { run, event: 'confirmed', payload: { by: 'eve' } }),
    await eve.call('get_program', { program: 'saved/twice' }),
    await eve.call('delete_program', { program: 'saved/twice' }),
    await eve.call('run_program', { program: 'saved/twice' }),
  ].map(({ told }) => told['code']);
  const of = (code: string): string[] => [code, code, code];
  assert.deepEqual(codes, [...of('no-such-run'), ...of('no-such-program')]);
  assert.deepEqual((await eve.call('list_runs')).told['runs'], []);
  assert.doesNotMatch((await eve.call('list_programs')).text, /saved/u);
  // A name is each principal's own.
  assert.equal((await eve.call('save_program', { text: TWICE })).isError, false);
  await eve.call('delete_program', { program: 'saved/twice' });
  assert.equal((await ann.call('get_program', { program: 'saved/twice' })).isError, false);
  // Nor does a gateway go on with what another principal's left.
  await ann.kill();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  await using again = await ProgramHost.start(place.directory);
  const moved = await again.call('resume_run', { run, event: 'confirmed', payload: { by: 'ann' } });
  assert.equal(moved.told['status'], 'success', moved.text);
});

test('a changed file starts new runs only, and one with mistakes changes nothing [R-program-as-tool]', async () => {
  using place = programsPlace();
  await using host = await ProgramHost.start(place.directory);
  await host.names();
  const { run } = (await host.call('pay', { charge: 'ch_1' })).meta['interlock/run'] ?? {};
  const changed = PAY.replace('required: [charge]', 'required: [charge, why]').replace(
    '{ charge: { type: string } }',
    '{ charge: { type: string }, why: { type: string } }',
  );
  const listChanged = new Promise<void>((resolve) => {
    host.client.setNotificationHandler('notifications/tools/list_changed', () => resolve());
  });
  writeFileSync(programFile(place.directory, 'pay.yaml'), changed);
  await listChanged;
  const tool = (await host.client.listTools()).tools.find(({ name }) => name === 'interlock__pay');
  assert.deepEqual(tool?.inputSchema.required, ['charge', 'why']);
  const old = await host.call('pay', { charge: 'ch_2' });
  assert.equal(old.meta['interlock/decision']?.['code'], 'schema-mismatch');
  writeFileSync(programFile(place.directory, 'pay.yaml'), 'program: [');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal((await host.call('pay', { charge: 'ch_3', why: 'new' })).meta['interlock/run']?.['status'], 'suspended');
  const resumed = await host.call('resume_run', { run, event: 'confirmed', payload: { by: 'ann' } });
  assert.deepEqual([resumed.told['status'], place.paid()], ['success', ['ch_1', 'ch_3']], resumed.text);
});

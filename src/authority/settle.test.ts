import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openWorld } from '../../test/authority-world.ts';
import { compilePolicy } from '../policy/compile.ts';
import { parseConfiguration } from '../policy/document/configuration.ts';
import { defineTool } from '../policy/tool/tool.ts';
import type { JsonObject } from '../value/json.ts';
import { settle } from './settle.ts';

const TEXT = 'interlock: 1\nservers: { bank: { command: x } }\nrules: [{ allow: bank.* }]\n';
const ID = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } };

test('an output that the tool could not have given settles nothing, whatever is offered by now [R-settle-output]', async () => {
  const policyOf = (outputSchema: JsonObject) => {
    const parsed = parseConfiguration(TEXT, { file: 'interlock.yaml', environment: {} });
    const defined = defineTool('bank', { name: 'pay', inputSchema: { type: 'object' }, outputSchema });
    assert.ok(parsed.ok && defined.ok);
    const { policy } = compilePolicy(parsed.value, new Map([['bank.pay', defined.tool]]));
    return policy ?? assert.fail();
  };
  const world = await openWorld({ policy: policyOf(ID) });
  const perform = async () => ({ kind: 'unknown', reason: 'lost' }) as const;
  const lost = await world.call('bank.pay', {}, { perform });
  const other = await world.call('bank.pay', { n: 1 }, { perform });
  await world.authority.load(policyOf({ type: 'object' }));
  const as = async (output: JsonObject, { call } = lost): Promise<string> => {
    const order = { call, as: 'executed', by: 'os:ann', reason: 'looked', output } as const;
    const settled = await settle(world.ledger, world, order);
    return settled.ok ? 'ok' : settled.code;
  };
  assert.equal(await as({ structuredContent: { id: 7 } }), 'output-invalid');
  assert.equal((await world.ledger.call(lost.call))?.state, 'unknown');
  assert.equal(await as({ structuredContent: { id: 'p_1' } }), 'ok');
  // What a person could find out, where nothing reads it by its type.
  assert.equal(await as({ content: [{ type: 'text', text: 'paid' }] }, other), 'ok');
});

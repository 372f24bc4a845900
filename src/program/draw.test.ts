import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CATALOG, REFUND, programOf } from '../../test/refund-program.ts';
import { linesOf, mermaidOf } from './draw.ts';

test('a drawing has every step and every way, the failures that nobody wrote down included', () => {
  const program = programOf(REFUND);
  const lines = linesOf(program);
  const drawn = mermaidOf(program);
  for (const id of program.steps.keys()) {
    assert.ok(
      lines.some((line) => line.slice(2).startsWith(`${id} `)),
      id,
    );
    assert.ok(drawn.includes(`step_${id}`), id);
  }
  assert.ok(lines.includes('  └─ ■ failed  (error)'));
  assert.match(drawn, /step_pay -\.->\|"error"\| ends_failed/);
});

test('words of a program cannot write in its drawing', () => {
  const text = `program: p
start: a
steps:
  a: { choose: [{ when: '"</script>\\"]; click end \\u202e" == "x"', next: end }, { next: end }] }
  end: { end: success }
`;
  const drawn = mermaidOf(programOf(text, CATALOG));
  assert.ok(!/<|click end "|\u202e/.test(drawn), drawn);
  for (const line of drawn.split('\n')) assert.equal((line.match(/"/g) ?? []).length % 2, 0, line);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { rules } from '@secretlint/secretlint-rule-preset-recommend';
import { SecretSearchError, apart, cut, searchSecrets, withoutSecrets } from './find.ts';

/** Put together here, so that nobody who scans this file takes them for real ones. */
const mixed = 'aB3dE5gH7jK9';
const SAMPLES: Readonly<Record<string, string>> = {
  aws: ['AKIA', 'QRSTUVWX23456789'].join(''),
  github: `ghp_${mixed.repeat(3)}`,
  gitlab: `glpat-${mixed}${mixed}`,
  stripe: `sk_live_${mixed.repeat(2)}`,
  slack: `xoxb-1234567890-${mixed}-${mixed}`,
  npm: `npm_${mixed.repeat(3)}`,
  sendgrid: `SG.${mixed}${mixed.slice(2)}.${mixed.repeat(3)}${mixed.slice(5)}`,
  huggingface: ['hf_', 'abcdefghijklmnopqrstuvwxyzABCDEFGH'].join(''),
  basicauth: `https://deploy:${mixed}@registry.internal.org`,
  'database-connection-string': `postgres://app:${mixed}@db.internal:5432/x`,
  privatekey: `-----BEGIN PRIVATE KEY-----\nMII${'A'.repeat(200)}\n-----END PRIVATE KEY-----`,
};

const show = (text: string): string => withoutSecrets(text);

test('secrets of many kinds are found where they stand, and the text around them is kept', () => {
  for (const [kind, secret] of Object.entries(SAMPLES)) {
    assert.equal(show(`before ${secret} after`).startsWith(`before [secret: ${kind}]`), true, kind);
    assert.equal(show(`before ${secret} after`).endsWith(' after'), true, kind);
  }
  const plain = 'see https://example.com, ask ops@example.com, account_id: 123456789012';
  assert.equal(show(plain), plain);
});

test('a secret is cut to its end where its rule tells only where its name begins', () => {
  const secret = `${mixed}${mixed}${mixed}/+Zz`;
  assert.equal(secret.length, 40);
  const shown = show(`export AWS_SECRET_ACCESS_KEY   =   "${secret}" # mine`);
  assert(!shown.includes(secret.slice(-6)), shown);
  assert(shown.endsWith(' # mine'), shown);
});

test('a credential of Google is one as a whole, wherever its parts stand', () => {
  const credential = JSON.stringify({ private_key_id: '1', private_key: '-----BEGIN PRIVATE KEY-----\nx' });
  assert.equal(show(credential), '[secret: gcp]');
  assert.equal(show(`${credential} and more`), `${credential} and more`);
});

test('words in the text switch no rule off', () => {
  for (const word of ['secretlint-disable', 'secretlint-disable-line', 'secretlint-disable-next-line']) {
    assert.equal(show(`// ${word}\n${SAMPLES['github']} // ${word}`), `// ${word}\n[secret: github] // ${word}`);
  }
});

test('what no rule needs to look at is what it would find nothing in', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      ...Object.values(SAMPLES),
      'SECRET_ACCESS_KEY',
      'secretaccess',
      '= ',
      '"',
      '\n',
      ' ',
      'A3TX',
      'ASIA',
    ),
    fc.string(),
  );
  const aws = rules.find(({ meta }) => meta.id.endsWith('-aws'));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join('');
      let direct = 0;
      const handler = aws?.create(
        {
          sharedOptions: {},
          createTranslator: () => (messageId, data) => ({ message: '', messageId: String(messageId), data }),
          ignore: () => undefined,
          report: ({ message }) => {
            if (message.messageId !== 'AWSAccountID') direct += 1;
          },
        },
        { enableIDScanRule: true },
      );
      void handler?.file?.({ content: text, ext: '' } as Parameters<NonNullable<typeof handler.file>>[0]);
      const found = searchSecrets()(text);
      if (direct > 0) assert(found.length > 0, text);
    }),
  );
});

test('what is found stands apart, in the order of the text', () => {
  const span = fc.record({
    kind: fc.constantFrom('a', 'b'),
    start: fc.nat(60),
    length: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(span), fc.string({ minLength: 80, maxLength: 80 }), (spans, text) => {
      const found = spans.map(({ kind, start, length }) => ({ kind, start, end: start + length }));
      const secrets = apart(found.toSorted((one, other) => one.start - other.start));
      for (const [index, { start, end }] of secrets.entries()) {
        assert(start < end && start >= (secrets[index - 1]?.end ?? 0));
      }
      for (const { start, end } of found) {
        assert(secrets.some((secret) => secret.start <= start && secret.end >= end));
      }
      const left = cut(text, secrets).replaceAll(/\[secret: [ab]\]/gu, '');
      assert(left.length <= text.length);
    }),
  );
});

test('hostile text is refused instead of followed, in all that one search is given together', () => {
  const search = searchSecrets();
  search('ghs_1_'.repeat(400));
  assert.throws(() => search('ghs_1_'.repeat(400)), SecretSearchError);
  assert.throws(() => searchSecrets()('SG.a.b '.repeat(501)), SecretSearchError);
  assert.equal(show('ghs_1_'.repeat(501)), '[secret: unknown]');
});

/** The units that budgets count in: money in its small pieces, and what a machine counts. */

import { alike } from '../../document/alike.ts';

const COUNTED: readonly string[] =
  'bytes calls credits emails files items messages milliseconds minutes pages points records requests rows seconds tokens'.split(
    ' ',
  );

/** ISO 4217, list one: the currencies in use. */
const CURRENCIES: ReadonlySet<string> = new Set(
  (
    'aed afn all amd aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd btn bwp byn bzd cad cdf chf clp ' +
    'cny cop crc cup cve czk djf dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs gip gmd gnf gtq gyd hkd hnl htg huf ' +
    'idr ils inr iqd irr isk jmd jod jpy kes kgs khr kmf kpw krw kwd kyd kzt lak lbp lkr lrd lsl lyd mad mdl mga mkd ' +
    'mmk mnt mop mru mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub ' +
    'rwf sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp szl thb tjs tmt tnd top try ttd twd tzs uah ugx usd ' +
    'uyu uzs ved ves vnd vuv wst xaf xcd xof xpf yer zar zmw zwg'
  ).split(' '),
);

/** The whole, its hundredth by its names, its smallest official piece, its millionth. */
const PIECES: ReadonlySet<string> = new Set(['', '-cents', '-pence', '-minor', '-micros']);
const OWN = /^x-[a-z0-9][a-z0-9-]{0,61}$/u;
const USUAL: readonly string[] = ['usd-cents', 'eur-cents', 'gbp-pence', 'usd-micros', ...COUNTED];

/** Whether `text` is a unit: a counted thing, `CURRENCY` or `CURRENCY-PIECE`, or one of the operator's own, `x-NAME`. */
export function isUnit(text: string): boolean {
  if (COUNTED.includes(text) || OWN.test(text)) return true;
  return CURRENCIES.has(text.slice(0, 3)) && PIECES.has(text.slice(3));
}

/** What to write instead of `text`, which is no unit. */
export function unitHint(text: string): string {
  const near = alike(text, USUAL);
  const other = 'a currency in small pieces like `usd-cents`, a count like `calls` or `tokens`, or your own `x-NAME`';
  return near === undefined ? `write ${other}` : `did you mean \`${near}\`? else ${other}`;
}

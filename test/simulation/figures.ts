/** What is counted over simulated worlds, and the one line that tells it. */

/** In the order in which they are told. */
const NAMES = [
  'calls',
  'effects',
  'replays',
  'crashes',
  'stops',
  'pauses',
  'clock jumps',
  'lost commits',
  'landed commits',
  'stopped ledgers',
  'unknowns',
  'settled',
  'approvals',
  'forgeries',
  'reached',
  'kills',
  'retries',
  'resends',
  'probes',
  'settled by probe',
  'reloads approved',
  'exceptions',
  'excepted',
  'false signatures',
  'floods',
  'counted denials',
  'seeds',
  'violations',
] as const;

export type FigureName = (typeof NAMES)[number];
export type Figures = Record<FigureName, number>;

export function createFigures(): Figures {
  return Object.fromEntries(NAMES.map((name) => [name, 0])) as Figures;
}

export function addFigures(sum: Figures, more: Figures): void {
  for (const name of NAMES) sum[name] += more[name];
}

/** `100,000 calls, 12,345 effects, …`. */
export function figuresLine(figures: Figures): string {
  return NAMES.map((name) => `${figures[name].toLocaleString('en-US')} ${name}`).join(', ');
}

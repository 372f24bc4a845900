export const SKIPPED: readonly { reason: string; ids: readonly string[] }[] = [];
export const SKIPPED_SUITES: ReadonlyMap<string, string> = new Map([]);

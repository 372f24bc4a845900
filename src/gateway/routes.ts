/** Which server a resource, a prompt or a task belongs to: learned from what passes. */

import { hostName } from './names.ts';

/** Remembered of each kind; the oldest go first. */
const REMEMBERED_MAX = 100_000;
const TEMPLATES_MAX = 1_000;

export interface PromptRoute {
  readonly server: string;
  /** The name the server knows it by. */
  readonly own: string;
}

/**
 * Where two servers claim one URI or name, the earlier in the configuration has it; a task stays with the server that
 * first named it.
 */
export class Routes {
  readonly #rank: (server: string) => number;
  readonly #uris = new Map<string, string>();
  readonly #templates = new Map<string, Map<string, readonly string[]>>();
  readonly #prompts = new Map<string, PromptRoute>();
  readonly #tasks = new Map<string, string>();

  /** `rank`: a server's place in the configuration. */
  constructor(rank: (server: string) => number) {
    this.#rank = rank;
  }

  learnUri(server: string, uri: string): void {
    const owner = this.#uris.get(uri);
    if (owner === undefined || this.#rank(server) < this.#rank(owner)) remember(this.#uris, uri, server);
  }

  learnTemplate(server: string, template: string): void {
    const known = this.#templates.get(server) ?? new Map<string, readonly string[]>();
    this.#templates.set(server, known);
    if (known.size < TEMPLATES_MAX) known.set(template, template.split(/\{[^{}]*\}/));
  }

  /** Answers with the prompt's name toward the host. */
  learnPrompt(server: string, own: string): string {
    const name = hostName(server, own);
    if (!this.#prompts.has(name)) remember(this.#prompts, name, { server, own });
    return name;
  }

  learnTask(server: string, task: string): void {
    if (!this.#tasks.has(task)) remember(this.#tasks, task, server);
  }

  /** What is known of `server` may no longer hold. */
  forget(server: string): void {
    this.#templates.delete(server);
    for (const [uri, owner] of this.#uris) if (owner === server) this.#uris.delete(uri);
    for (const [name, route] of this.#prompts) if (route.server === server) this.#prompts.delete(name);
    for (const [task, owner] of this.#tasks) if (owner === server) this.#tasks.delete(task);
  }

  /** The server that listed `uri`, or else the one whose template says most of it. */
  uri(uri: string): string | undefined {
    const exact = this.#uris.get(uri);
    if (exact !== undefined) return exact;
    let best: { readonly server: string; readonly literal: number } | undefined;
    for (const [server, templates] of this.#templates) {
      for (const literals of templates.values()) {
        if (!fits(literals, uri)) continue;
        const literal = literals.reduce((sum, text) => sum + text.length, 0);
        const better =
          best === undefined ||
          literal > best.literal ||
          (literal === best.literal && this.#rank(server) < this.#rank(best.server));
        if (better) best = { server, literal };
      }
    }
    return best?.server;
  }

  /** The server of a template as it was listed. */
  template(template: string): string | undefined {
    const servers = [...this.#templates].filter(([, known]) => known.has(template)).map(([server]) => server);
    return servers.sort((one, other) => this.#rank(one) - this.#rank(other))[0];
  }

  prompt(name: string): PromptRoute | undefined {
    return this.#prompts.get(name);
  }

  task(task: string): string | undefined {
    return this.#tasks.get(task);
  }
}

/** Whether `uri` has the literal parts of a template (RFC 6570) in their order; what stands between may be anything. */
function fits(literals: readonly string[], uri: string): boolean {
  const first = literals[0] ?? '';
  if (literals.length <= 1) return uri === first;
  const last = literals.at(-1) ?? '';
  if (!uri.startsWith(first) || !uri.endsWith(last) || uri.length < first.length + last.length) return false;
  let at = first.length;
  for (const literal of literals.slice(1, -1)) {
    const found = uri.indexOf(literal, at);
    if (found === -1) return false;
    at = found + literal.length;
  }
  return at <= uri.length - last.length;
}

function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value);
  const oldest = map.keys().next();
  if (map.size > REMEMBERED_MAX && !oldest.done) map.delete(oldest.value);
}

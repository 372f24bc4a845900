/** npm packages that are servers: `package: NAME@VERSION`, one exact version and no other. */

/** A package as the configuration names it. */
export interface ServerPackage {
  readonly name: string;
  /** Exact: no range and no tag. */
  readonly version: string;
}

/** A package as it was installed. */
export type LockedPackage = ServerPackage & {
  /** Of the package's archive, as npm writes it: `sha512-` and base64 (W3C Subresource Integrity). */
  readonly integrity: string;
};

const NAME_MAX = 214;
const NAME = /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/u;
const VERSION_MAX = 128;
/** Semantic Versioning 2.0.0, without build metadata: npm ignores it, and then two would be one. */
const VERSION = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/u;

export function isPackageName(text: string): boolean {
  return text.length <= NAME_MAX && NAME.test(text) && !text.startsWith('-');
}

export function isPackageVersion(text: string): boolean {
  return text.length <= VERSION_MAX && VERSION.test(text);
}

/** The package that `text` names, or nothing when it is not a name and an exact version. */
export function parsePackage(text: string): ServerPackage | undefined {
  const at = text.lastIndexOf('@');
  if (at <= 0) return undefined;
  const [name, version] = [text.slice(0, at), text.slice(at + 1)];
  return isPackageName(name) && isPackageVersion(version) ? { name, version } : undefined;
}

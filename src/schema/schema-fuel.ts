/** What judging one call against a schema may cost: the schema comes from a server and the arguments from a model. */

/** Schema nodes visited and members of the arguments read. Judging stops, denied, when it is spent. */
export const FUEL_MAX = 1_000_000;

/** `left` falls with every step; below zero `burn` throws `FuelSpent`. */
export interface Fuel {
  left: number;
}

/** Thrown through the validator, which has no budget of its own; never leaves `schema.ts`. */
class FuelSpent extends Error {
  override readonly name = 'FuelSpent';
}

export function burn(fuel: Fuel, cost: number): void {
  fuel.left -= cost;
  if (fuel.left < 0) throw new FuelSpent('judging the arguments against the schema takes too long');
}

/**
 * `value` seen through proxies that burn fuel for each member read. The validator's loops over members, and over pairs
 * of items, then end when the fuel does. Equal containers give equal proxies.
 */
export function metered(value: unknown, fuel: Fuel): unknown {
  const proxies = new WeakMap<object, unknown>();
  const meter = (inner: unknown): unknown => {
    if (typeof inner !== 'object' || inner === null) return inner;
    const known = proxies.get(inner);
    if (known !== undefined) return known;
    // Over a copy: a proxy of something frozen may not give other members than it has.
    const proxy = new Proxy<object>(Array.isArray(inner) ? inner.slice() : { ...inner }, {
      get(object, key) {
        burn(fuel, 1);
        return meter(Reflect.get(object, key));
      },
      getOwnPropertyDescriptor(object, key) {
        burn(fuel, 1);
        return Reflect.getOwnPropertyDescriptor(object, key);
      },
      ownKeys(object) {
        const keys = Reflect.ownKeys(object);
        burn(fuel, keys.length);
        return keys;
      },
    });
    proxies.set(inner, proxy);
    return proxy;
  };
  return meter(value);
}

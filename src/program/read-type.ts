/** What expressions in a program's document read, as far as types can tell: steps by name, and the words of a model. */

/** The steps of `S` that leave an output. */
type Leaving<S> = {
  [Id in keyof S]: S[Id] extends { readonly choose: unknown } | { readonly end: unknown } ? never : Id;
}[keyof S];

/** What is wrong with an expression, said as a text; never where there is all that it reads. */
export type Wrong<Text extends string, S> = WrongName<Text, S> | WrongWord<Text, S>;

/** The expressions of a text. One that holds `}}` itself is looked at as far as that. */
export type Expressions<Text extends string> = Text extends `${string}\${{${infer Expression}}}${infer Rest}`
  ? Expression | Expressions<Rest>
  : never;

type WrongName<Text extends string, S> =
  Exclude<NamesIn<Unquoted<Text>>, Leaving<S>> extends infer Name extends string
    ? `no step leaves \`steps.${Name}\``
    : never;

/** Words with which an output is compared that the model may not answer. */
type WrongWord<Text extends string, S> = {
  [Id in keyof S & string]: S[Id] extends { readonly outputs: readonly (infer Word extends string)[] }
    ? `\`${Id}\` never answers \`${Exclude<ComparedIn<Text, Id>, Word>}\``
    : never;
}[keyof S & string];

type ComparedIn<Text extends string, Id extends string> =
  | Between<Text, `steps.${Id}.output == "`>
  | Between<Text, `steps.${Id}.output != "`>;

/** What stands between `Before` and the next quotation mark, wherever it does. */
type Between<Text extends string, Before extends string> = Text extends `${string}${Before}${infer Word}"${infer Rest}`
  ? Word | Between<Rest, Before>
  : never;

/** An expression without the texts in it. */
type Unquoted<Text extends string> = Without<Without<Text, '"'>, "'">;

type Without<
  Text extends string,
  Quote extends string,
> = Text extends `${infer Before}${Quote}${string}${Quote}${infer After}` ? `${Before}${Without<After, Quote>}` : Text;

/** `a` of each `steps.a`. */
type NamesIn<Text extends string> = Text extends `${string}steps.${infer Rest}`
  ? Name<Rest extends `?${infer Named}` ? Named : Rest> | NamesIn<Rest>
  : never;

/** The name that a text begins with. */
type Name<Text extends string, Begun extends string = ''> = Text extends `${infer First extends Letter}${infer Rest}`
  ? Name<Rest, `${Begun}${First}`>
  : Begun;

type Letter = Lower | Uppercase<Lower> | `${Digit}` | '_';
type Digit = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
// prettier-ignore
type Lower = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm'
  | 'n' | 'o' | 'p' | 'q' | 'r' | 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z';

// Rules about a call's arguments, as JSON Schema (draft 2020-12) on their canonical form. Schemas are checked strictly
// when the policy is made, because a keyword that is misspelt would be a rule that is never kept. Nothing here
// changes the arguments: no coercion, no defaults. Patterns are searched by in linear time.

import { Ajv2020 } from "ajv/dist/2020.js";
import { canonicalJson } from "./digest.js";
import { linearEngine, linearPattern } from "./pattern.js";

/** A JSON Schema, draft 2020-12. `true` fits everything, `false` nothing. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

/** Whether arguments fit a schema. May throw; the caller treats that as a block. */
export type ArgumentTest = (args: unknown) => boolean;

/** Longest canonical JSON of arguments that a rule is asked about, in characters. Bounds what a rule can cost. */
const MAX_JUDGED_LENGTH = 65_536;

/** Deepest nesting of arguments that a rule is asked about. */
const MAX_JUDGED_DEPTH = 64;

/** Compiles the schemas of one policy. Throws an `Error` that says what is wrong with a schema. */
export function schemaCompiler(): (schema: JsonSchema) => ArgumentTest {
  let ajv: Ajv2020 | undefined; // Most policies have no schema, and making one reads the whole meta-schema.
  return (schema) => {
    refuseUnread(schema);
    ajv ??= new Ajv2020({
      strict: true,
      allowUnionTypes: true,
      ownProperties: true, // `required: ["toString"]` must not be met by Object.prototype.
      multipleOfPrecision: 9, // 0.07 is a multiple of 0.01, whatever binary fractions say.
      code: { regExp: linearEngine },
      allowMatchingProperties: true, // Ajv would look for them with an engine that goes back; `refuseUnread` does it.
      logger: false,
    });
    const validate = ajv.compile(schema);
    return (args) => validate(args) === true;
  };
}

/**
 * The form of arguments that rules see: parsed canonical JSON, so without getters, prototypes or `toJSON`.
 *
 * @throws whatever says that there is none: not JSON, too long or too deep.
 */
export function judgedArguments(args: unknown): unknown {
  const text = canonicalJson(args);
  if (text.length > MAX_JUDGED_LENGTH) throw new RangeError("the arguments are too long to judge");
  const value: unknown = JSON.parse(text);
  if (isDeeper(value, MAX_JUDGED_DEPTH)) throw new RangeError("the arguments are too deep to judge");
  return value;
}

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1)));

/**
 * Ajv passes over the property `__proto__` in silence, and `$async` answers with a promise, which is truthy. A property
 * that a pattern of the same schema fits as well has two rules, of which the author has probably seen one.
 */
function refuseUnread(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === "__proto__" || key === "$async") throw new Error(`"${key}" cannot be checked`);
    refuseUnread(value);
  }
  const { properties, patternProperties } = schema as Readonly<Record<string, unknown>>;
  for (const source of Object.keys(patternProperties ?? {})) {
    const pattern = linearPattern(source, "u");
    const twice = Object.keys(properties ?? {}).find((name) => pattern.test(name));
    if (twice !== undefined) throw new Error(`property ${twice} fits the pattern ${source} as well`);
  }
}

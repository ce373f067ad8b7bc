// Which texts of a value are searched by meaning: the path language of LangGraph's stores, which differ in the
// details; this is what they share.

/**
 * The texts at `path`: `"$"` is the whole value as JSON, `title`, `meta.title`, `parts[*].text`, `parts[0]`, `parts[-1]`.
 * Numbers and booleans count as text, an object or array as its JSON; what is not there counts as nothing.
 */
export function textsAt(value: unknown, path: string): string[] {
  if (path === "$") return [JSON.stringify(value, null, 2)];
  const steps = path
    .replaceAll("[", ".[")
    .split(".")
    .filter((step) => step !== "");
  let found: unknown[] = [value];
  for (const step of steps) found = found.flatMap((each) => follow(each, step));
  return found
    .filter((each) => each !== null && each !== undefined)
    .map((each) => (typeof each === "object" ? JSON.stringify(each, null, 2) : String(each)));
}

function follow(value: unknown, step: string): unknown[] {
  if (step === "[*]") return Array.isArray(value) ? value : [];
  if (step.startsWith("[")) return Array.isArray(value) ? [value.at(Number.parseInt(step.slice(1), 10))] : [];
  return typeof value === "object" && value !== null && Object.hasOwn(value, step)
    ? [(value as Record<string, unknown>)[step]]
    : [];
}

// Writes a new project from this package's `template/` folder. The project is written beside its place and moved
// there when it is complete, so a failure leaves nothing behind.

import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { CommandError, UsageError } from "./exit.js";
import { packageRoot, version } from "./package.js";
import { shellWord } from "./text.js";

/** What {@link scaffold} takes beside the name. */
export interface ScaffoldOptions {
  readonly cwd: string;
  /** What the project depends on as `bulkhead`. Default: the registry's version when this package came from there, else a packed copy of this package inside the project. */
  readonly spec?: string | undefined;
  /** Where the package with the `template` folder is. Default: this package. */
  readonly root?: string;
}

/** npm drops or misreads these names inside a package, so the template has them under other names. */
const RENAMED: Readonly<Record<string, string>> = {
  _gitignore: ".gitignore",
  "_env.example": ".env.example",
  "_package.json": "package.json",
};

/** What must never be copied out of somebody's working tree. */
const LEFT_OUT = new Set(["node_modules", ".bulkhead", ".langgraph_api", "workspace", ".env", "dist"]);

/** Where a packed copy of this package goes. */
const VENDOR = "vendor";

/** npm's rule for a name without a scope. */
const NAME = /^[a-z0-9~-][a-z0-9._~-]{0,213}$/;

const RESERVED = ["node_modules", "favicon.ico", "bulkhead"];

/**
 * Makes the project `name`, which may be a path; its last part is the package's name. Asks nothing.
 *
 * @throws UsageError for a name npm refuses or a folder that is not empty; CommandError when packing fails.
 */
export async function scaffold(
  name: string,
  { cwd, spec, root = packageRoot() }: ScaffoldOptions,
): Promise<{ readonly folder: string; readonly next: readonly string[] }> {
  const folder = resolve(cwd, name);
  const packageName = basename(folder);
  if (!NAME.test(packageName) || RESERVED.includes(packageName)) {
    throw new UsageError(
      `${JSON.stringify(packageName)} cannot be a package's name. Use lower-case letters, digits and "-", for example my-agent.`,
    );
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`${folder} is not empty. Choose another name, or empty it first; nothing was written.`);
  }
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(join(dirname(folder), `.${packageName}-`));
  try {
    copyTemplate(join(root, "template"), draft);
    const dependency = spec ?? (isFromRegistry(root) ? `^${version()}` : await packInto(draft, root));
    fillIn(join(draft, "package.json"), { name: packageName, bulkhead: dependency });
    fillIn(join(draft, "README.md"), { name: packageName, bulkhead: dependency });
    if (existsSync(folder)) rmdirSync(folder);
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  const place = relative(cwd, folder) || ".";
  return {
    folder,
    next: [`cd ${shellWord(place)}`, "npm install", "npm test", 'npm start -- "How many tickets are open?"'],
  };
}

function copyTemplate(from: string, to: string): void {
  for (const entry of readdirSync(from)) {
    cpSync(join(from, entry), join(to, RENAMED[entry] ?? entry), {
      recursive: true,
      filter: (path) => !LEFT_OUT.has(basename(path)),
    });
  }
}

function fillIn(file: string, values: Readonly<Record<string, string>>): void {
  if (!existsSync(file)) return;
  const filled = readFileSync(file, "utf8").replace(
    /\{\{(\w+)\}\}/g,
    (placeholder, name: string) => values[name] ?? placeholder,
  );
  writeFileSync(file, filled);
}

/** npm's own record of what it installed says where a package came from. */
function isFromRegistry(root: string): boolean {
  const record = join(dirname(root), ".package-lock.json");
  if (basename(dirname(root)) !== "node_modules" || !existsSync(record)) return false;
  const { packages } = JSON.parse(readFileSync(record, "utf8")) as { packages?: Record<string, { resolved?: string }> };
  return packages?.[`node_modules/${basename(root)}`]?.resolved?.startsWith("http") === true;
}

/** Packs this package into the project. Returns the dependency's specification. */
async function packInto(draft: string, root: string): Promise<string> {
  const vendor = join(draft, VENDOR);
  mkdirSync(vendor);
  try {
    await promisify(execFile)("npm", ["pack", "--ignore-scripts", "--loglevel=error", "--pack-destination", vendor], {
      cwd: root,
    });
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    const reason = (stderr.trim() || message).replace(/\s+/g, " ");
    throw new CommandError(
      `this package cannot be packed into the project: ${reason}. Say what the project depends on with --package.`,
      { cause: error },
    );
  }
  const packed = readdirSync(vendor).find((file) => file.endsWith(".tgz"));
  if (packed === undefined)
    throw new CommandError("npm pack wrote no package. Say what the project depends on with --package.");
  return `file:${VENDOR}/${packed}`;
}

// What a project's own tests build on, exported as `bulkhead/testing`: a model that follows a script over the real
// HTTP path. Contract suites for tools, graphs and gates belong here.

export { calls, type ScriptStep, script, scriptedModel } from "./script.js";

// The page's script, as text: the source of its parts, put together. The parts are ordinary functions of this project
// that are checked like all others; each uses nothing but its arguments and the browser.

import { answerOf } from "../../../checkpoints/index.js";
import { answerViewOf } from "./client/answer-view.js";
import { detailViewOf } from "./client/detail-view.js";
import { domOf } from "./client/dom.js";
import { promptViewOf } from "./client/prompt-view.js";
import { readerOf } from "./client/reader.js";
import { start } from "./client/start.js";

/** The script. `__name` is what some compilers wrap functions in; here it has nothing to do. */
export const SCRIPT = `"use strict";
(() => {
const __name = (value) => value;
const answerOf = ${answerOf};
const domOf = ${domOf};
const readerOf = ${readerOf};
const answerViewOf = ${answerViewOf};
const promptViewOf = ${promptViewOf};
const detailViewOf = ${detailViewOf};
const start = ${start};
const index = JSON.parse(document.getElementById("index").textContent);
const dom = domOf(document);
const reader = readerOf(document, index);
const detailView = detailViewOf(dom, reader, answerViewOf(dom, answerOf), promptViewOf(dom, reader));
start(window, { dom, reader, index, detailView });
})();
`;

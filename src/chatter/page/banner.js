/** Says that the connection is lost, once that has lasted: a short loss is nobody's concern. */

import { setText, the } from "./dom.js";

const CALM = 5000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {boolean} connected */
export function showConnected(connected) {
  if (!connected) {
    timer ??= setTimeout(() => {
      setText(the("banner-text"), "The connection is lost. Trying again…");
      the("banner-retry").hidden = false;
    }, CALM);
    return;
  }
  clearTimeout(timer);
  timer = undefined;
  setText(the("banner-text"), "");
  the("banner-retry").hidden = true;
}

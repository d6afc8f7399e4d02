/**
 * Who the users are, and who is online. A name does not change, so each is asked for once; what is
 * wanted in the same moment is one request.
 *
 * @import {Person} from "./api.js"
 */

import { getPeople } from "./api.js";
import { drawAll, pause, soon } from "./drawing.js";

/** So many names are asked for in one request, and so many people are listed as online. */
const AT_ONCE = 100;

/** How long to wait before a request that failed is repeated, in milliseconds. */
const PAUSE = 2000;

/** @type {Map<number, string>} */
const names = new Map();

/** @type {Set<number>} */
const wanted = new Set();

/** @type {Person[]} */
export let online = [];

/** How many are online, as a text. */
export let onlineCount = "";

/** @param {{id: number, name: string}[]} people */
export function meet(people) {
  for (const { id, name } of people) names.set(id, name);
}

/** @param {number} id A user who has another name from now on: who has left for good. */
export const forgetName = (id) => names.delete(id);

/** @param {number} id The name is empty as long as it is not known. */
export function nameOf(id) {
  const name = names.get(id);
  if (name === undefined && !wanted.size) void ask();
  if (name === undefined) wanted.add(id);
  return name ?? "";
}

async function ask() {
  // All that is drawn now is asked for together.
  await Promise.resolve();
  while (wanted.size) {
    const ids = [...wanted].slice(0, AT_ONCE);
    try {
      meet((await getPeople(`ids=${ids}`)).users);
    } catch {
      await pause(PAUSE);
      continue;
    }
    for (const id of ids) {
      wanted.delete(id);
      if (!names.has(id)) names.set(id, `#${id}`);
    }
    drawAll();
  }
}

/** Ask who is online. */
export async function refreshOnline() {
  try {
    const { users, more } = await getPeople(`online=true&limit=${AT_ONCE}`);
    meet(users);
    online = users;
    onlineCount = `${users.length}${more ? "+" : ""} online`;
    drawAll();
  } catch {
    // It is asked again soon.
  }
}

/** @param {number} id */
export const isOnline = (id) => online.some((person) => person.id === id);

const refreshSoon = soon(3000, () => void refreshOnline());

/** @param {number} id A user of whom a message has come, and who therefore is online. */
export function saw(id) {
  if (!isOnline(id)) refreshSoon();
}

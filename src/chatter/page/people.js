/**
 * Who the users are, and who is online. A name does not change, so each is asked for once; what is
 * wanted in the same moment is one request.
 *
 * @import {People, Person} from "./api.js"
 */

import { getOnline, getPeople } from "./api.js";
import { drawAll, pause, soon } from "./drawing.js";

/** So many names are asked for in one request. */
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
  for (const { id, name } of people) {
    names.set(id, name);
    wanted.delete(id);
  }
}

/** @param {number} id A user who has another name from now on: who has left for good. */
export const forgetName = (id) => names.delete(id);

/** @param {number} id The name is empty as long as it is not known. */
export function nameOf(id) {
  const name = names.get(id);
  if (name !== undefined) return name;
  wanted.add(id);
  void ask();
  return "";
}

let asking = false;

async function ask() {
  if (asking) return;
  asking = true;
  // All that is drawn now is asked for together, but for those who are on the way.
  await listed;
  while (wanted.size) {
    const ids = [...wanted].slice(0, AT_ONCE);
    try {
      meet((await getPeople(`ids=${ids}`)).users);
    } catch {
      await pause(PAUSE);
      continue;
    }
    // Nobody has the others' ids.
    meet(ids.filter((id) => wanted.has(id)).map((id) => ({ id, name: `#${id}` })));
    drawAll();
  }
  asking = false;
}

/** Is done when it is known who is online, or that the request has failed. */
let listed = Promise.resolve();

/**
 * Ask who is online.
 *
 * @param {Promise<People | null> | null} [asked] Has the response, if it was asked already.
 */
export const refreshOnline = (asked) => (listed = list(asked));

/** @param {Promise<People | null> | null} [asked] */
async function list(asked) {
  try {
    const { users, more } = (await asked) ?? (await getOnline());
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

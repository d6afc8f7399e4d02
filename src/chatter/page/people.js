/**
 * Who the users are, and who is online. A name does not change, so each is requested once; what is
 * wanted in the same moment is one request.
 *
 * @import {People, Person} from "./api.js"
 */

import { getOnline, getPeople } from "./api.js";
import { drawAll, pause, soon } from "./drawing.js";

/** So many names are in one request. */
const AT_ONCE = 100;

/** How long to wait before a request that failed is repeated, in milliseconds. */
const PAUSE = 2000;

/** @type {Map<number, string>} No user has the number of the general chat. */
const names = new Map([[0, "General"]]);

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
  void loadNames();
  return "";
}

let isLoading = false;

async function loadNames() {
  if (isLoading) return;
  isLoading = true;
  // All that is drawn now is requested together, but for those who are on the way.
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
  isLoading = false;
}

/** Is done when it is known who is online, or that the request has failed. */
let listed = Promise.resolve();

/**
 * Request who is online.
 *
 * @param {Promise<People | null> | null} [requested] Has the response, if it was requested already.
 */
export const refreshOnline = (requested) => (listed = list(requested));

/** @param {Promise<People | null> | null} [requested] */
async function list(requested) {
  try {
    const { users, more } = (await requested) ?? (await getOnline());
    meet(users);
    online = users;
    onlineCount = `${users.length}${more ? "+" : ""} online`;
    drawAll();
  } catch {
    // It is requested again soon.
  }
}

/** @param {number} id */
export const isOnline = (id) => online.some((person) => person.id === id);

const refreshSoon = soon(3000, () => void refreshOnline());

/** @param {number} id A user of whom a message has come, and who therefore is online. */
export function saw(id) {
  if (!isOnline(id)) refreshSoon();
}

/**
 * What a tab keeps over a reload, and what a browser keeps for all its tabs. Two chats of one
 * origin, and two users of one chat, have nothing in common here.
 */

let owner = 0;

/** @param {number} user Whose things are kept from now on. */
export function setOwner(user) {
  owner = user;
}

/**
 * A name that only the tabs of the same user and chat have.
 *
 * @param {string} name
 */
export function ownName(name) {
  return `chatter ${location.pathname} ${owner} ${name}`;
}

/**
 * @param {string} name
 * @returns {any} Undefined if there is nothing.
 */
export function load(name) {
  try {
    return JSON.parse(sessionStorage.getItem(ownName(name)) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} name
 * @param {unknown} value Undefined removes it.
 */
export function save(name, value) {
  try {
    if (value === undefined) sessionStorage.removeItem(ownName(name));
    else sessionStorage.setItem(ownName(name), JSON.stringify(value));
  } catch {
    // The browser keeps nothing, or is full: a reload then forgets it.
  }
}

/** @param {string} name */
export function isChosen(name) {
  try {
    return localStorage.getItem(ownName(name)) === "yes";
  } catch {
    return false;
  }
}

/**
 * @param {string} name
 * @param {boolean} chosen
 */
export function choose(name, chosen) {
  try {
    if (chosen) localStorage.setItem(ownName(name), "yes");
    else localStorage.removeItem(ownName(name));
  } catch {
    // It holds until the page is closed.
  }
}

/**
 * What a tab keeps over a reload, and what a browser keeps for all its tabs. Two chats of one
 * origin, and two users of one chat, have nothing in common here. A browser that keeps nothing,
 * or is full, forgets it all at the next reload.
 */

/** The id of the user who is signed in, or 0. */
export let owner = 0;

/** The names of all that is kept of this chat begin so. */
export const OF_CHAT = `chatter ${location.pathname} `;

/** Under this name it is kept that somebody is signed in. */
const SIGNED_IN = `${OF_CHAT}signed in`;

/** @param {number} user Whose things are kept from now on; 0 if nobody is signed in. */
export function setOwner(user) {
  owner = user;
  keepSignedIn(user !== 0);
}

/** @param {boolean} isSignedIn What {@link hadOwner} says when the page is loaded the next time. */
export function keepSignedIn(isSignedIn) {
  try {
    if (isSignedIn) localStorage.setItem(SIGNED_IN, "yes");
    else localStorage.removeItem(SIGNED_IN);
  } catch {
    // The first requests go one after the other then.
  }
}

/** Whether somebody was signed in when the page was used last. */
export function hadOwner() {
  try {
    return localStorage.getItem(SIGNED_IN) !== null;
  } catch {
    return false;
  }
}

/** @param {string} name One that only the tabs of the same user and chat have. */
export const ownName = (name) => `${OF_CHAT}${owner} ${name}`;

/**
 * @param {string} name
 * @param {"sessionStorage" | "localStorage"} where
 * @returns {any} Undefined if there is nothing.
 */
export function load(name, where = "sessionStorage") {
  try {
    return JSON.parse(window[where].getItem(ownName(name)) ?? "null") ?? undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} name
 * @param {unknown} value Undefined removes it.
 * @param {"sessionStorage" | "localStorage"} where
 */
export function save(name, value, where = "sessionStorage") {
  try {
    if (value === undefined) window[where].removeItem(ownName(name));
    else window[where].setItem(ownName(name), JSON.stringify(value));
  } catch {
    // As above.
  }
}

/**
 * Who the users are. A name never changes, so each is asked for once; what many places want in
 * the same moment is one request.
 */

import { getPeople } from "./api.js";

/** So many names may be asked for in one request. */
const AT_ONCE = 100;

/** How long to wait before a request that failed is repeated, in milliseconds. */
const PAUSE = 2000;

/** @typedef {import("./api.js").Person} Person */

/** The users whom the page has met. */
export class People {
  /** @param {() => void} changed Is called when something is known that was not. */
  constructor(changed) {
    this.changed = changed;
    /** @type {Map<number, string>} */
    this.names = new Map();
    /** @type {Set<number>} */
    this.wanted = new Set();
    this.asking = false;
    /** @type {Person[]} Who is online, as far as they were listed. */
    this.online = [];
    this.moreOnline = false;
  }

  /**
   * @param {number} id
   * @returns {string} Empty as long as it is not known.
   */
  nameOf(id) {
    const name = this.names.get(id);
    if (name !== undefined) return name;
    this.wanted.add(id);
    if (!this.asking) void this.#ask();
    return "";
  }

  async #ask() {
    this.asking = true;
    // Whatever is drawn in this turn is asked for together.
    await Promise.resolve();
    while (this.wanted.size) {
      const ids = [...this.wanted].slice(0, AT_ONCE);
      try {
        const { users } = await getPeople({ ids: ids.join(",") });
        this.meet(users);
        // One that is not there is not asked for again.
        for (const id of ids) if (!this.names.has(id)) this.names.set(id, `#${id}`);
        for (const id of ids) this.wanted.delete(id);
        this.changed();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
    this.asking = false;
  }

  /** @param {{id: number, name: string}[]} people */
  meet(people) {
    for (const { id, name } of people) this.names.set(id, name);
  }

  /** Ask who is online. */
  async refreshOnline() {
    const { users, more } = await getPeople({ online: true, limit: AT_ONCE }).catch(() => ({
      users: null,
      more: false,
    }));
    if (!users) return;
    this.meet(users);
    this.online = users;
    this.moreOnline = more;
    this.changed();
  }

  /** @param {number} id */
  isOnline(id) {
    return this.online.some((person) => person.id === id);
  }

  /**
   * Those whose names begin so.
   *
   * @param {string} prefix
   */
  async find(prefix) {
    const found = await getPeople({ prefix, limit: 20 });
    this.meet(found.users);
    return found;
  }

  /**
   * Who is meant by a name, and what is said to them: of a name with blanks, which was typed
   * without quotes, words are still before the text.
   *
   * @param {string} name
   * @param {string} text
   * @returns {Promise<{id: number, say: string} | {explain: string}>}
   */
  async findByName(name, text) {
    let users;
    try {
      ({ users } = await this.find(name));
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      return { explain: `Nothing was sent. ${reason}` };
    }
    const whole = folded(`${name} ${text}`);
    const meant = users
      .filter((user) => whole.startsWith(`${folded(user.name)} `))
      .sort((one, other) => other.name.length - one.name.length)[0];
    if (!meant) return { explain: `Nothing was sent. Nobody is called ${name}.` };
    return { id: meant.id, say: `${name} ${text}`.slice(meant.name.length).trim() };
  }
}

/** @param {string} name */
function folded(name) {
  return name.normalize("NFKC").toLowerCase();
}

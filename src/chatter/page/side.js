/** The list beside the chat: the chats, who is online, and who was searched for. */

import { make, setAvatar, setChildren, setText, the } from "./dom.js";
import { briefly } from "./times.js";

/** How long the search waits for the next letter, in milliseconds. */
const PAUSE = 150;

/** So many people are listed as online. */
const LISTED = 50;

/** @typedef {{link: HTMLAnchorElement, item: HTMLElement, parts: Record<string, HTMLElement>}} Entry */

/** The list. */
export class Side {
  /**
   * @param {object} page
   * @param {import("./chats.js").Chats} page.chats
   * @param {import("./people.js").People} page.people
   * @param {() => number | null} page.current The chat that is shown.
   */
  constructor(page) {
    this.page = page;
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    /** @type {import("./people.js").Person[] | null} */
    this.found = null;
    this.search = the("search", HTMLInputElement);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.search.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.#find(), PAUSE);
    });
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.clearSearch();
      if (event.key === "Enter") this.#links()[0]?.click();
    });
    document.querySelector("nav")?.addEventListener("keydown", (event) => this.#move(event));
  }

  clearSearch() {
    this.search.value = "";
    this.found = null;
    this.draw();
  }

  async #find() {
    const prefix = this.search.value.trim();
    if (!prefix) {
      this.clearSearch();
      return;
    }
    const result = await this.page.people.find(prefix).catch(() => null);
    // Somebody may have typed on.
    if (prefix !== this.search.value.trim()) return;
    this.found = result?.users.filter(({ id }) => id !== this.page.chats.user?.id) ?? null;
    const count = this.found?.length ?? 0;
    const more = result?.more ? " or more" : "";
    const title = !result
      ? "The search failed."
      : count === 0
        ? "Nobody has a name that begins so."
        : `Found · ${count}${more}`;
    setText(the("found-title"), title);
    this.draw();
    the("found-section").hidden = false;
  }

  #links() {
    const all = document.querySelectorAll(".lists a");
    return /** @type {HTMLAnchorElement[]} */ ([...all]).filter((link) => link.checkVisibility());
  }

  /** @param {KeyboardEvent} event The arrow keys go through the list. */
  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const stops = [this.search, ...this.#links()];
    const here = stops.findIndex((stop) => stop === document.activeElement);
    if (here < 0) return;
    event.preventDefault();
    stops[Math.min(Math.max(here + step, 0), stops.length - 1)].focus();
  }

  draw() {
    const { chats, people } = this.page;
    const searching = this.search.value.trim() !== "";
    the("found-section").hidden = !searching || the("found-section").hidden;
    the("chats-section").hidden = searching;
    the("more-chats").hidden = !chats.more;
    const shown = chats.sorted();
    const current = this.page.current();
    if (current !== null && !shown.some((chat) => chat.id === current))
      shown.splice(1, 0, chats.chat(current));
    setChildren(
      the("chats"),
      shown.map((chat) => this.#chat(chat)),
    );
    setChildren(
      the("found"),
      (this.found ?? []).map((person) => this.#person("found", person)),
    );
    const online = people.online.filter(({ id }) => id !== chats.user?.id);
    the("online-section").hidden = searching || online.length === 0;
    setChildren(
      the("online"),
      online.slice(0, LISTED).map((person) => this.#person("online", person)),
    );
  }

  /**
   * The element of a chat or user, which is made once.
   *
   * @param {string} list
   * @param {number} id
   * @returns {Entry}
   */
  #entry(list, id) {
    const key = `${list} ${id}`;
    let entry = this.entries.get(key);
    if (!entry) {
      const parts = {
        avatar: make("span", "avatar"),
        name: make("bdi", "entry-name"),
        presence: make("span", "unseen"),
        text: make("bdi", "entry-text"),
        time: make("time", "entry-time"),
        badge: make("span", "badge"),
      };
      parts.avatar.ariaHidden = "true";
      const link = make("a", list === "chats" ? "entry" : "entry small");
      link.href = id ? `#${id}` : "#general";
      link.append(parts.avatar, parts.name, parts.presence);
      if (list === "chats") link.append(parts.time, parts.text, parts.badge);
      entry = { link, item: make("li", "", link), parts };
      this.entries.set(key, entry);
    }
    return entry;
  }

  /**
   * @param {Entry} entry
   * @param {number} id
   * @param {string} name
   * @param {boolean} online
   */
  #drawWho(entry, id, name, online) {
    const { avatar, name: label, presence } = entry.parts;
    setAvatar(avatar, id, name);
    setText(label, name);
    avatar.classList.toggle("online", online);
    setText(presence, online ? " (online)" : "");
    if (id === this.page.current()) entry.link.setAttribute("aria-current", "page");
    else entry.link.removeAttribute("aria-current");
  }

  /** @param {import("./chats.js").Chat} chat */
  #chat(chat) {
    const { people, chats } = this.page;
    const entry = this.#entry("chats", chat.id);
    const { text, time, badge } = entry.parts;
    const name = chat.id ? people.nameOf(chat.id) : "General";
    this.#drawWho(entry, chat.id, name, chat.id !== 0 && people.isOnline(chat.id));
    const { last } = chat;
    if (last) {
      const own = last.sender_id === chats.user?.id;
      const sender = own ? "You: " : chat.id ? "" : `${people.nameOf(last.sender_id)}: `;
      setText(text, sender + last.text.slice(0, 200).replace(/\s+/gu, " "));
      setText(time, briefly(last.sent_at));
    }
    setText(badge, chat.unread > 99 ? "99+" : String(chat.unread || ""));
    badge.hidden = !chat.unread;
    badge.title = chat.unread ? "Unread messages" : "";
    entry.link.classList.toggle("unread", chat.unread > 0);
    return entry.item;
  }

  /**
   * @param {string} list
   * @param {import("./people.js").Person} person
   */
  #person(list, { id, name, online }) {
    const entry = this.#entry(list, id);
    this.#drawWho(entry, id, name, online);
    // The page that is shown is told once.
    entry.link.removeAttribute("aria-current");
    return entry.item;
  }
}

/** The box in which messages are written: one draft for each chat, kept over a reload. */

import { understand } from "./commands.js";
import { setText, the } from "./dom.js";
import { load, save } from "./saved.js";

/** What the server takes, in code points. */
const LONGEST = 4096;

/** From so many on, what is left is shown. */
const NEARLY = LONGEST - 300;

/** How long a draft waits until it is kept, in milliseconds. */
const KEEP_AFTER = 300;

/** The composer of the chat that is shown. */
export class Composer {
  /**
   * @param {object} page
   * @param {(chat: number, text: string) => void} page.send
   * @param {(name: string, text: string) => Promise<string>} page.sendTo Returns what went wrong.
   */
  constructor(page) {
    this.page = page;
    this.chat = 0;
    this.box = the("text", HTMLTextAreaElement);
    this.count = the("count");
    this.hint = the("hint");
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.busy = false;
    this.box.addEventListener("input", () => this.#typed());
    this.box.addEventListener("keydown", (event) => {
      // Enter also ends the composition of a word, in many languages.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.#submit();
    });
    the("composer", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.box.focus();
      void this.#submit();
    });
    window.addEventListener("pagehide", () => this.#keep());
  }

  /**
   * @param {number} chat
   * @param {string} whom Such as `everybody`.
   */
  open(chat, whom) {
    const label = `Message ${whom}`;
    if (this.box.placeholder !== label) {
      this.box.placeholder = label;
      this.box.setAttribute("aria-label", label);
    }
    if (chat === this.chat) return;
    this.#keep();
    this.chat = chat;
    this.restore();
  }

  /** Go on with the draft of the chat. */
  restore() {
    this.#set(load(`draft ${this.chat}`) ?? "");
  }

  focus() {
    this.box.focus({ preventScroll: true });
  }

  /** @param {string} text */
  #set(text) {
    this.box.value = text;
    this.#typed();
  }

  #typed() {
    setText(this.hint, "");
    const { value } = this.box;
    const length = value.length > NEARLY ? [...value].length : 0;
    const left = LONGEST - length;
    const over = left < 0;
    setText(this.count, length > NEARLY ? (over ? `${-left} too many` : `${left} left`) : "");
    this.count.classList.toggle("over", over);
    this.box.setAttribute("aria-invalid", String(over));
    if (!CSS.supports("field-sizing", "content")) {
      this.box.style.height = "auto";
      this.box.style.height = `${this.box.scrollHeight + 2}px`;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#keep(), KEEP_AFTER);
  }

  #keep() {
    clearTimeout(this.timer);
    save(`draft ${this.chat}`, this.box.value || undefined);
  }

  async #submit() {
    // What no server takes: halves of characters, and NUL.
    const text = this.box.value.toWellFormed().replaceAll("\0", "").trimEnd();
    if (!text.trim() || this.busy) return;
    const left = LONGEST - [...text].length;
    if (left < 0) {
      setText(this.hint, `A message has at most ${LONGEST} characters: ${-left} too many.`);
      return;
    }
    const asked = understand(text);
    if ("explain" in asked) {
      setText(this.hint, asked.explain);
      return;
    }
    const { chat } = this;
    if ("to" in asked) {
      const typed = this.box.value;
      this.busy = true;
      const wrong = await this.page.sendTo(asked.to, asked.say).finally(() => {
        this.busy = false;
      });
      // Another chat, or another text, may be here by now.
      if (this.chat !== chat || this.box.value !== typed) {
        if (!wrong && load(`draft ${chat}`) === typed) save(`draft ${chat}`, undefined);
        return;
      }
      if (wrong) {
        setText(this.hint, wrong);
        return;
      }
    } else this.page.send(chat, asked.say);
    this.#set("");
    this.#keep();
  }
}

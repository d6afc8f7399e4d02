/** The door: the form with which somebody joins, or the reason why nobody can. */

import { join, Problem } from "./api.js";
import { setText, the } from "./dom.js";

/** What the server takes, in code points. */
const LONGEST = 32;

/**
 * Show the door.
 *
 * @param {boolean} canJoin
 * @param {() => void} joined Is called once the user is somebody.
 */
export function showDoor(canJoin, joined) {
  the("door").hidden = false;
  the("app").hidden = true;
  const form = the("join", HTMLFormElement);
  const name = the("name", HTMLInputElement);
  form.hidden = !canJoin;
  the("closed").hidden = canJoin;
  the("closed-retry").onclick = joined;
  document.title = canJoin ? "Join the chat" : "Chat";
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    const wrong = await tryToJoin(name.value);
    button.ariaDisabled = null;
    name.setAttribute("aria-invalid", String(wrong !== ""));
    setText(the("name-error"), wrong);
    if (wrong) name.focus();
    else joined();
  };
  name.oninput = () => {
    name.removeAttribute("aria-invalid");
    setText(the("name-error"), "");
  };
  if (canJoin) name.focus();
}

export function hideDoor() {
  the("door").hidden = true;
  the("app").hidden = false;
}

/**
 * @param {string} typed
 * @returns {Promise<string>} What went wrong, empty if nothing did.
 */
async function tryToJoin(typed) {
  const name = typed.trim().toWellFormed();
  if (!name) return "Please type a name.";
  const tooMany = [...name].length - LONGEST;
  if (tooMany > 0) return `A name has at most ${LONGEST} characters: ${tooMany} too many.`;
  try {
    await join(name);
    return "";
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.type === "urn:chatter:name-taken") return "Somebody has this name already.";
    return error.message.replace(/^name: /u, "A name has ");
  }
}

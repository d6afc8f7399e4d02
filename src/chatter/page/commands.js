/**
 * Texts that begin with a slash. They are commands, as they are in the terminal; one that is not
 * understood is explained, and never sent to anybody.
 */

import { Problem } from "./api.js";
import { add } from "./outbox.js";
import { find } from "./search.js";

const SLASHES = "To send a text with a slash, begin with two.";

const NAME_AND_TEXT = /^\/msg\s+(?:"((?:[^"\\]|\\.)+)"|([^\s"]\S*))\s+(.*\S)/su;

/**
 * Send what is meant, and show that chat.
 *
 * @param {string} text
 * @returns {Promise<string>} Why nothing was sent, if so.
 */
export async function run(text) {
  if (!/^\/msg(\s|$)/u.test(text)) return `Only /msg NAME TEXT is known. ${SLASHES}`;
  const [, quoted, bare, said] = NAME_AND_TEXT.exec(text) ?? [];
  if (!said) return 'It is /msg NAME TEXT; a name with blanks goes in "quotes".';
  const name = quoted?.replace(/\\(.)/gu, "$1") ?? bare;
  try {
    const meant = await findByName(name, said);
    if (!meant) return `Nobody is called ${name}.`;
    add(meant.id, meant.text);
    location.hash = String(meant.id);
    return "";
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.message;
  }
}

/**
 * Who is meant by a name. Of a name with blanks, words may still stand before the text.
 *
 * @param {string} name
 * @param {string} text
 */
async function findByName(name, text) {
  const whole = `${name} ${text}`;
  const { users } = await find(name);
  const ids = new Map(users.map((user) => [folded(user.name), user.id]));
  // No name is longer than that, however it is written.
  for (const { index } of [...whole.slice(0, 99).matchAll(/\s/gu)].reverse()) {
    const id = ids.get(folded(whole.slice(0, index)));
    if (id) return { id, text: whole.slice(index).trim() };
  }
  return null;
}

/** @param {string} name */
const folded = (name) =>
  name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\p{DI}/gu, "");

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
  const folded = (/** @type {string} */ some) => some.normalize("NFKC").toLowerCase();
  const whole = `${name} ${text}`;
  const { users } = await find(name);
  const meant = users
    .filter((user) => folded(whole).startsWith(`${folded(user.name)} `))
    .sort((one, other) => other.name.length - one.name.length)[0];
  return meant ? { id: meant.id, text: whole.slice(meant.name.length).trim() } : null;
}

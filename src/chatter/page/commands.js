/**
 * What a typed text asks for. A text that begins with a slash is a command, as it is in the
 * terminal; one that is not understood is explained, and never sent to everybody.
 */

/**
 * @typedef {{say: string}} Say
 * @typedef {{to: string, say: string}} SayTo The name may be followed by more words of it.
 * @typedef {{explain: string}} Explain
 */

const USAGE = 'Nothing was sent. It is /msg NAME TEXT; a name with blanks goes in "quotes".';

/** @param {string} name */
function unquoted(name) {
  return name.replace(/\\(.)/gu, "$1");
}

/**
 * @param {string} text
 * @returns {Say | SayTo | Explain}
 */
export function understand(text) {
  if (text.startsWith("//")) return { say: text.slice(1) };
  if (!text.startsWith("/")) return { say: text };
  const [, command, rest] = /^(\S+)\s*(.*)$/su.exec(text) ?? [];
  if (command !== "/msg")
    return {
      explain: `Nothing was sent. There is no ${command} here, only /msg NAME TEXT. To send a text that begins with a slash, begin it with two.`,
    };
  const [, quoted, bare, said] = /^(?:"((?:[^"\\]|\\.)+)"|([^\s"]\S*))\s+(.*\S)/su.exec(rest) ?? [];
  if (!said) return { explain: USAGE };
  return { to: quoted === undefined ? bare : unquoted(quoted), say: said };
}

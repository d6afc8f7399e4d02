/**
 * A text as nodes: web addresses become links, and nothing else is interpreted. What comes from
 * others reaches the page as text nodes only.
 */

import { make } from "./dom.js";

/** Characters that change the direction of text are no part of a link: it shows where it leads. */
const ADDRESS = /\bhttps?:\/\/[^\s<>"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;

/** What ends a sentence is no part of a link. */
const CLOSING = new Set(".,:;!?'\"…)]}");

/** Brackets are part of it if they were opened in it: https://example.org/a_(b) */
const OPENING = new Map([
  [")", "("],
  ["]", "["],
  ["}", "{"],
]);

const ONLY_EMOJI =
  /^(?:\p{Extended_Pictographic}(?:\uFE0F|\p{EMod}|\u200D\p{Extended_Pictographic})*\s*){1,4}$/u;

/**
 * @param {string} address As it was found in a text.
 * @returns {string} The part of it that is an address.
 */
function trimmed(address) {
  /** @type {Record<string, number>} */
  const count = {};
  for (const character of address) count[character] = (count[character] ?? 0) + 1;
  let end = address.length;
  for (; CLOSING.has(address[end - 1]); end -= 1) {
    const closing = address[end - 1];
    const opening = OPENING.get(closing);
    if (opening && (count[opening] ?? 0) >= count[closing]) break;
    count[closing] -= 1;
  }
  return address.slice(0, end);
}

/**
 * @param {string} text
 * @returns {(Node | string)[]}
 */
export function nodesOf(text) {
  /** @type {(Node | string)[]} */
  const nodes = [];
  let done = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const address = trimmed(found[0]);
    if (!URL.canParse(address)) continue;
    const link = make("a", "", address);
    link.href = address;
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    nodes.push(text.slice(done, found.index), link);
    done = found.index + address.length;
  }
  nodes.push(text.slice(done));
  return nodes;
}

/** @param {string} text */
export function isEmoji(text) {
  return text.length < 40 && ONLY_EMOJI.test(text);
}

/** @param {string} text Whether it is so long that only its beginning is shown at first. */
export function isLong(text) {
  if (text.length > 1200) return true;
  let lines = 1;
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) lines += 1;
  return lines > 14;
}

/** Elements: how they are found, made and kept equal to a list. All text goes in as text. */

/**
 * An element of the page that has to be there.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type]
 * @returns {T}
 */
export function the(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof (type ?? HTMLElement))) throw new Error(`#${id} is missing.`);
  return /** @type {T} */ (found);
}

/**
 * Make an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/**
 * Set a text, if it is another one: setting the same would cost a layout.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Make the children of an element those of a list, in its order. What is there already stays, so
 * the focus stays, too.
 *
 * @param {Element} parent
 * @param {Element[]} children
 */
export function setChildren(parent, children) {
  const wanted = new Set(children);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  children.forEach((child, index) => {
    const there = parent.children[index];
    if (there !== child) parent.insertBefore(child, there ?? null);
  });
}

/**
 * Show a name as a circle: its first letter, in a colour of the user's own.
 *
 * @param {Element} element
 * @param {number} id The user's, or 0 for the general chat.
 * @param {string} name
 */
export function setAvatar(element, id, name) {
  element.classList.toggle("general", id === 0);
  // Neighbours in the list of ids are far apart in colour.
  if (element instanceof HTMLElement)
    element.style.setProperty("--hue", String(Math.round((id * 137.5) % 360)));
  setText(element, id === 0 ? "#" : firstLetter(name));
}

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** @param {string} name */
function firstLetter(name) {
  const first = letters.segment(name)[Symbol.iterator]().next().value?.segment ?? "";
  // No name paints over its neighbours with a letter of a hundred marks.
  return [...first.normalize("NFC")].slice(0, 2).join("").toLocaleUpperCase();
}

/**
 * Elements, and when they are drawn. All text goes in as text.
 *
 * All that has changed is drawn before the next frame, once. The more often messages come, the
 * longer that waits, so a single one is shown at once, and a hundred in a second don't keep the
 * page busy. A page that nobody sees gets no frames, and draws nothing.
 */

/** The longest wait between two drawings, in milliseconds. */
const LONGEST = 150;

/** What a change has to plan anew. The page puts the drawings here. */
export const plan = { chat() {}, side() {}, title() {} };

export function drawAll() {
  plan.chat();
  plan.side();
  plan.title();
}

/**
 * @param {() => void} work What is to be done before the next frame.
 * @param {number} [gap] At least so long after the last time, in milliseconds.
 * @param {number} [step] How much longer for each time in the last second but two, in milliseconds.
 */
export function perFrame(work, gap = 0, step = 0) {
  let planned = false;
  let last = -Infinity;
  let recent = 0;
  const draw = () => {
    const now = performance.now();
    recent = recent * 0.5 ** ((now - last) / 500) + 1;
    last = now;
    planned = false;
    work();
  };
  return () => {
    if (planned) return;
    planned = true;
    const least = Math.max(gap, Math.min(LONGEST, (recent - 2) * step));
    const wait = last + least - performance.now();
    if (wait > 0) setTimeout(() => requestAnimationFrame(draw), wait);
    else requestAnimationFrame(draw);
  };
}

/**
 * @param {number} gap In milliseconds.
 * @param {() => void} work Is done after so long, once; also in a page that nobody sees.
 */
export function soon(gap, work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work();
    }, gap);
  };
}

/** @param {number} milliseconds */
export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * An element of the page, which has to be there.
 *
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type]
 */
export function the(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof (type ?? HTMLElement))) throw new Error(`#${id} is missing.`);
  return /** @type {T} */ (found);
}

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {(Node | string)[]} children
 */
export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/**
 * @param {string} text
 * @param {() => void} clicked
 */
export function makeButton(text, clicked) {
  const button = make("button", "quiet", text);
  button.type = "button";
  button.onclick = clicked;
  return button;
}

/**
 * Set a text, if it is another one: to set the same would cost a layout.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Hide an element or show it, if that is a change: to set the same would cost a frame.
 *
 * @param {HTMLElement} element
 * @param {boolean} hidden
 */
export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/**
 * Make the children of an element those of a list. What is there already stays, with its focus.
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

const letters = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * Show a name as its first letter, in a colour made of the user's id.
 *
 * @param {HTMLElement} element
 * @param {number} id 0 is the general chat.
 * @param {string} name
 */
export function setAvatar(element, id, name) {
  element.classList.toggle("general", id === 0);
  setHue(element, id);
  const first = letters.segment(name)[Symbol.iterator]().next().value?.segment ?? "";
  // A letter may have a hundred marks.
  const letter = [...first.normalize("NFC")].slice(0, 2).join("").toLocaleUpperCase();
  setText(element, id === 0 ? "#" : letter);
}

/**
 * @param {HTMLElement} element
 * @param {number} id Neighbours are far apart in colour.
 */
export function setHue(element, id) {
  element.style.setProperty("--hue", String(Math.round((id * 137.5) % 360)));
}

/**
 * Whether a key is an input method's. Safari has ended the composition by then, and says 229.
 *
 * @param {KeyboardEvent} event
 */
export const isComposed = ({ isComposing, keyCode }) => isComposing || keyCode === 229;

/**
 * When to draw: all that has changed is drawn before the next frame, once. The more often that
 * happens, the longer it waits, so a single message is shown at once, and a hundred in a second
 * don't keep the page busy. A page that nobody sees gets no frames, and draws nothing.
 */

/** The longest wait between two drawings, in milliseconds. */
const LONGEST = 150;

/** How much longer the wait becomes for each drawing in the last second, in milliseconds. */
const STEP = 25;

/**
 * Make a function that does some work before the next frame.
 *
 * @param {() => void} work
 * @param {number} [gap] How long after the work it is not done again, at least, in milliseconds.
 * @returns {() => void}
 */
export function perFrame(work, gap = 0) {
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
    const least = Math.max(gap, Math.min(LONGEST, (recent - 1) * STEP));
    const wait = last + least - performance.now();
    if (wait > 0) setTimeout(() => requestAnimationFrame(draw), wait);
    else requestAnimationFrame(draw);
  };
}

/**
 * Make a function that does some work soon, and at most once in a while; also in a page that
 * nobody sees.
 *
 * @param {() => void} work
 * @param {number} gap In milliseconds.
 * @returns {() => void}
 */
export function atMostEvery(gap, work) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work();
    }, gap);
  };
}

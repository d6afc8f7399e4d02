/** Forgetting what a tab or a browser keeps of somebody. It is loaded when somebody leaves, or joins. */

/**
 * @param {"sessionStorage" | "localStorage"} where
 * @param {string} prefix With what the names begin of all that is forgotten.
 */
export function forget(where, prefix) {
  try {
    for (const name of Object.keys(window[where]))
      if (name.startsWith(prefix)) window[where].removeItem(name);
  } catch {
    // A browser that keeps nothing has nothing to forget.
  }
}

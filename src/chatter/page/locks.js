/**
 * Locks for pages that came over plain http from another machine, where browsers have none. A lock
 * is a time in what the browser keeps for all tabs; whoever holds it renews that. Two tabs that
 * request it in the same moment may both get it, which is one stream too many, and no more.
 */

/** How often a lock is renewed, and after how long it is nobody's, in milliseconds. */
const RENEW_EVERY = 2_000;
const STALE = 10_000;

export const locks = {
  /**
   * Hold a lock as long as something lasts, if it is free.
   *
   * @param {string} name
   * @param {object} _options Nobody waits for a lock here.
   * @param {(lock: object | null) => unknown} until Is told whether it is held.
   */
  async request(name, _options, until) {
    const age = Date.now() - Number(localStorage.getItem(name));
    if (age >= 0 && age < STALE) {
      until(null);
      return;
    }
    const renew = () => localStorage.setItem(name, String(Date.now()));
    const letGo = () => localStorage.removeItem(name);
    renew();
    const timer = setInterval(renew, RENEW_EVERY);
    window.addEventListener("pagehide", letGo);
    try {
      await until({ name });
    } finally {
      clearInterval(timer);
      window.removeEventListener("pagehide", letGo);
      letGo();
    }
  },
};

/** Times as the user's own clock and language have them. The server's are in UTC. */

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const short = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const sameYear = new Intl.DateTimeFormat(undefined, {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const otherYear = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

/** @type {WeakMap<import("./api.js").Message, number>} */
const days = new WeakMap();

/**
 * The number of the local day on which something was sent.
 *
 * @param {import("./api.js").Message} message
 */
export function dayOf(message) {
  let day = days.get(message);
  if (day === undefined) {
    day = dayNumber(new Date(message.sent_at));
    days.set(message, day);
  }
  return day;
}

export function today() {
  return dayNumber(new Date());
}

/** @param {Date} date */
function dayNumber(date) {
  return Math.floor(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / 86_400_000);
}

/** @param {string} at */
export function timeOf(at) {
  return clock.format(new Date(at));
}

/** @param {string} at */
export function momentOf(at) {
  return whole.format(new Date(at));
}

/** @param {string} at */
export function dayName(at) {
  const date = new Date(at);
  const ago = today() - dayNumber(date);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return (date.getFullYear() === new Date().getFullYear() ? sameYear : otherYear).format(date);
}

/** @param {string} at As short as it can be: the time today, else the day. */
export function briefly(at) {
  const date = new Date(at);
  return (dayNumber(date) === today() ? clock : short).format(date);
}

// Follows a chat with npm's EventSource, and prints each event: node follow.js FOLDER URL < token

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");

const [folder, url] = process.argv.slice(2);
const { EventSource } = createRequire(`${folder}/`)("eventsource");
const token = readFileSync(0, "utf8");

const source = new EventSource(`${url}/events`, {
  fetch: (input, init) =>
    fetch(input, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } }),
});
source.addEventListener("message", (event) => {
  console.log(`${event.lastEventId} ${event.data}`);
});

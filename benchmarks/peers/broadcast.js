// POST /send broadcasts a message to all WebSockets: node broadcast.js ws|socket.io PORT
"use strict";

const http = require("node:http");

const [kind, port] = process.argv.slice(2);
let lastId = 0;
let broadcast;

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const message = {
      id: ++lastId,
      sender_id: 42,
      recipient_id: null,
      text: JSON.parse(Buffer.concat(parts)).text,
      sent_at: new Date().toISOString(),
    };
    broadcast(message);
    const body = JSON.stringify(message);
    response.writeHead(200, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.keepAliveTimeout = 600_000;

if (kind === "ws") {
  const { WebSocketServer } = require("ws");
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => socket.send("ready"));
  broadcast = (message) => {
    const data = JSON.stringify(message);
    for (const socket of sockets.clients) socket.send(data);
  };
} else {
  const { Server } = require("socket.io");
  // Listeners that never answer a ping are not to be dropped while they are measured.
  const io = new Server(server, { transports: ["websocket"], pingInterval: 600_000 });
  io.on("connection", (socket) => socket.emit("ready"));
  broadcast = (message) => io.emit("message", message);
}

server.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });

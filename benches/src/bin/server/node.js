// Node's own HTTP server, with the snippet that providers document: collect the body, sign it, compare, parse.
const crypto = require("node:crypto");
const http = require("node:http");
const readline = require("node:readline");

const secret = process.argv.at(-1);
let handled = 0;

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks);
    const timestamp = request.headers["x-retentbase-timestamp"] ?? "";
    const signature = request.headers["x-retentbase-signature-sha256"] ?? "";
    const signed = crypto.createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest();
    const received = Buffer.from(signature, "hex");
    const isFresh = Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
    if (!isFresh || received.length !== signed.length || !crypto.timingSafeEqual(received, signed)) {
      response.statusCode = 401;
      response.end();
      return;
    }
    JSON.parse(body);
    handled += 1;
    response.statusCode = 200;
    response.end();
  });
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
const lines = readline.createInterface({ input: process.stdin });
lines.on("line", () => console.log(`${handled} 0`));
lines.on("close", () => process.exit(0));

// SPDX-License-Identifier: Apache-2.0
// serve.js PORT BACK: /N asks BACK for /call/N, and answers with N.
const http = require("http");
const [port, back] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });

http.createServer((request, answer) => {
	http.get(back + "/call" + request.url, { agent }, (called) => {
		let body = "";
		called.on("data", (piece) => { body += piece; });
		called.on("end", () => { answer.end(body); });
	});
}).listen(port, "127.0.0.1");

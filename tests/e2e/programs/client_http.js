// SPDX-License-Identifier: Apache-2.0
// node's http module. Arguments: see plan() in tests/support/coverage.py.
"use strict";
const crypto = require("crypto");
const fs = require("fs");
const http = require("http");

const [base, method, path, body, count, mode, file] = process.argv.slice(2);
const agent = new http.Agent({ keepAlive: true,
	maxSockets: mode === "parallel" ? 8 : 1 });

function describe(target, status, data)
{
	const sum = crypto.createHash("sha256").update(data).digest("hex");

	return `${target} ${status} ${data.length} ${sum}`;
}

const sizes = body.startsWith("sizes=") ?
	body.slice(6).split(",").map(Number) : [];

function sizeOf(number)
{
	return sizes.length ? sizes[number % sizes.length] : 0;
}

function send(request, size)
{
	if (size)
		return request.end(fs.readFileSync(file).subarray(0, size));
	if (body === "small")
		return request.end("hello world!");
	if (body === "upload")
		return request.end(fs.readFileSync(file));
	if (body === "chunked")
		return fs.createReadStream(file).pipe(request);
	if (body === "expect") {
		request.on("continue", () => request.end(fs.readFileSync(file)));
		return request.flushHeaders();
	}
	return request.end();
}

function one(target, number = 0, hops = 5)
{
	return new Promise((resolve) => {
		const headers = { "User-Agent": "client" };
		const size = sizeOf(number);

		if (size)
			headers["Content-Length"] = size;
		if (body === "upload" || body === "expect")
			headers["Content-Length"] = fs.statSync(file).size;
		if (body === "expect")
			headers.Expect = "100-continue";
		const request = http.request(base + target,
			{ method: sizes.length && !size ? "GET" : method,
				agent, headers }, (response) => {
			const parts = [];

			response.on("data", (part) => parts.push(part));
			response.on("error", (error) =>
				resolve(`${target} error ${error.code}`));
			response.on("end", () => {
				const next = response.headers.location;

				if (next && hops)
					return resolve(one(next, number, hops - 1));
				resolve(describe(target, response.statusCode,
					Buffer.concat(parts)));
			});
		});

		request.on("error", (error) => resolve(`${target} error ${error.code}`));
		send(request, size);
	});
}

async function main()
{
	const paths = Number(count) > 1 ?
		Array.from({ length: Number(count) }, (_, i) => `${path}?i=${i}`) :
		[path];
	const lines = [];

	if (mode === "parallel")
		lines.push(...await Promise.all(paths.map((p) => one(p))));
	else
		for (const [number, p] of paths.entries())
			lines.push(await one(p, number));
	console.log(lines.join("\n"));
	agent.destroy();
}

main();

// SPDX-License-Identifier: Apache-2.0
// node's fetch (undici). Arguments: see plan() in tests/support/coverage.py.
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { Readable } from "node:stream";

const [base, method, path, body, count, mode, file] = process.argv.slice(2);

const sizes = body.startsWith("sizes=") ?
	body.slice(6).split(",").map(Number) : [];

function content(number)
{
	const size = sizes[number % sizes.length];

	if (sizes.length)
		return size ? { body: readFileSync(file).subarray(0, size) } :
			{ method: "GET" };
	if (body === "small")
		return { body: "hello world!" };
	if (body === "upload")
		return { body: readFileSync(file) };
	if (body === "chunked")
		return { body: Readable.toWeb(createReadStream(file)),
			duplex: "half" };
	return {};
}

async function one(target, number)
{
	try {
		const response = await fetch(base + target, { method,
			headers: { "User-Agent": "client" }, ...content(number) });
		const data = Buffer.from(await response.arrayBuffer());
		const sum = createHash("sha256").update(data).digest("hex");

		return `${target} ${response.status} ${data.length} ${sum}`;
	} catch (error) {
		return `${target} error ${error.name} ${error.cause?.code}`;
	}
}

const paths = Number(count) > 1 ?
	Array.from({ length: Number(count) }, (_, i) => `${path}?i=${i}`) :
	[path];
const lines = [];

if (mode === "parallel")
	lines.push(...await Promise.all(paths.map(one)));
else
	for (const [number, p] of paths.entries())
		lines.push(await one(p, number));
console.log(lines.join("\n"));

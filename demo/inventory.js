#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// What is on the shelf, and what it costs.
'use strict';
const http = require('http');

const shelf = {
	teapot: { left: 12, cents: 2400 },
	umbrella: { left: 0, cents: 1500 },
	mirror: null, // haunted: whoever counted them has not come back
};

function look(path) {
	const name = path.replace('/stock/', '');

	if (!(name in shelf))
		return [404, { message: `we do not sell a ${name}` }];
	if (shelf[name].left === 0)
		return [409, { message: `no ${name} left` }];
	return [200, shelf[name]];
}

function answer(request) {
	try {
		return look(request.url);
	} catch (error) {
		console.error(error);
		return [500, { message: 'internal error' }];
	}
}

const server = http.createServer((request, response) => {
	const [status, body] = answer(request);

	console.log(JSON.stringify({
		method: request.method, path: request.url, status,
		headers: request.headers,
	}));
	response.writeHead(status, { 'Content-Type': 'application/json' });
	response.end(JSON.stringify(body));
});

server.listen(0, '127.0.0.1', () => {
	console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.on('SIGINT', () => server.close());

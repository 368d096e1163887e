<?php
// SPDX-License-Identifier: Apache-2.0
// Takes parcels to where they belong. Run it with: php -S 127.0.0.1:0 FILE

$parcel = json_decode(file_get_contents('php://input'));
$days = 2;

if ($parcel->to == 'Moon') {
	// The office up there answers when it answers.
	usleep(600000);
	$days = 40;
}

http_response_code(201);
header('Content-Type: application/json');
echo json_encode(['days' => $days]);

file_put_contents('php://stdout', json_encode([
	'method' => $_SERVER['REQUEST_METHOD'],
	'path' => $_SERVER['REQUEST_URI'],
	'status' => http_response_code(),
	'headers' => getallheaders(),
]) . "\n");

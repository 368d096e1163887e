<?php
// SPDX-License-Identifier: Apache-2.0
// file_get_contents. Arguments: see plan() in tests/support/coverage.py.
[, $base, $method, $path, $body, $count, $mode, $file] = $argv;
error_reporting(0);

function one(string $target): string
{
	global $base, $method, $body, $file;
	$http = ["method" => $method, "user_agent" => "client",
		"protocol_version" => 1.1, "ignore_errors" => true,
		"timeout" => 50, "header" => ["Connection: close"]];

	if ($body === "small")
		$http["content"] = "hello world!";
	elseif ($body !== "none")
		$http["content"] = file_get_contents($file);
	if ($body !== "none")
		$http["header"][] = "Content-Type: text/plain";
	$context = stream_context_create(["http" => $http]);
	$data = file_get_contents($base . $target, false, $context);
	if ($data === false)
		return "error";
	return sprintf("%s %s %d %s", $target,
		explode(" ", $http_response_header[0])[1], strlen($data),
		hash("sha256", $data));
}

if ($count > 1)
	for ($i = 0; $i < $count; $i++)
		echo one("$path?i=$i"), "\n";
else
	echo one($path), "\n";

<?php
// SPDX-License-Identifier: Apache-2.0
// file_get_contents. Arguments: see plan() in tests/support/coverage.py.
[, $base, $method, $path, $body, $count, $mode, $file] = $argv;
error_reporting(0);

$sizes = str_starts_with($body, "sizes=") ?
	explode(",", substr($body, 6)) : [];

function one(string $target, int $number = 0): string
{
	global $base, $method, $body, $file, $sizes;
	$size = $sizes ? (int)$sizes[$number % count($sizes)] : 0;
	$http = ["method" => $sizes && !$size ? "GET" : $method,
		"user_agent" => "client",
		"protocol_version" => 1.1, "ignore_errors" => true,
		"timeout" => 50, "header" => ["Connection: close"]];

	if ($body === "small")
		$http["content"] = "hello world!";
	elseif ($sizes && $size)
		$http["content"] = file_get_contents($file, length: $size);
	elseif ($body !== "none" && !$sizes)
		$http["content"] = file_get_contents($file);
	if (isset($http["content"]))
		$http["header"][] = "Content-Type: text/plain";
	$context = stream_context_create(["http" => $http]);
	$data = file_get_contents($base . $target, false, $context);
	if ($data === false)
		return "$target error";
	return sprintf("%s %s %d %s", $target,
		explode(" ", $http_response_header[0])[1], strlen($data),
		hash("sha256", $data));
}

if ($count > 1)
	for ($i = 0; $i < $count; $i++)
		echo one("$path?i=$i", $i), "\n";
else
	echo one($path), "\n";

<?php
// SPDX-License-Identifier: Apache-2.0
// BACK in the environment: /N asks it for /call/N, and answers with N.
$curl = curl_init(getenv("BACK") . "/call" . $_SERVER["REQUEST_URI"]);
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
echo curl_exec($curl);

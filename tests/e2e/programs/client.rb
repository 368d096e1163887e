# SPDX-License-Identifier: Apache-2.0
# net/http. Arguments: see plan() in tests/support/coverage.py.
require "digest/sha2"
require "net/http"
require "uri"

$base, $method, $path, $body, count, mode, $file = ARGV
$uri = URI($base)

$sizes = $body.delete_prefix("sizes=").split(",").map(&:to_i) if
  $body.start_with?("sizes=")

def fill(request, size)
  case $body
  when /^sizes=/
    request.body = File.binread($file, size) if size.positive?
  when "small"
    request.body = "hello world!"
  when "chunked"
    request["Transfer-Encoding"] = "chunked"
    request.body_stream = File.open($file, "rb")
  when "upload", "expect"
    request.body_stream = File.open($file, "rb")
    request["Content-Length"] = File.size($file).to_s
  end
  request["Expect"] = "100-continue" if $body == "expect"
  request["Content-Type"] = "text/plain" unless
    $body == "none" || $sizes
end

def one(http, target, number = 0)
  size = $sizes ? $sizes[number % $sizes.size] : 0
  verb = $sizes && size.zero? ? "GET" : $method
  request = Net::HTTPGenericRequest.new(verb, $body != "none" && verb != "GET",
                                        $method != "HEAD", target,
                                        { "User-Agent" => "client" })
  fill(request, size)
  response = http.request(request)
  if response["Location"]
    $method = "GET"
    return one(http, response["Location"])
  end
  data = response.body || ""
  "#{target} #{response.code} #{data.bytesize} " +
    Digest::SHA256.hexdigest(data)
rescue SystemCallError, IOError, Net::HTTPBadResponse, Timeout::Error => error
  "#{target} error #{error.class}"
end

def several(paths)
  http = Net::HTTP.new($uri.host, $uri.port)
  http.use_ssl = $uri.scheme == "https"
  http.max_retries = 0
  http.continue_timeout = 5
  http.start
  paths.each_with_index.map { |path, number| one(http, path, number) }
ensure
  http.finish if http.started?
end

paths = [$path]
paths = (0...count.to_i).map { |i| "#{$path}?i=#{i}" } if count.to_i > 1
if mode == "parallel"
  groups = paths.each_slice((paths.size + 7) / 8)
  puts groups.map { |g| Thread.new { several(g) } }.map(&:value).flatten
else
  puts several(paths)
end

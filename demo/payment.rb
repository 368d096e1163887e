#!/usr/bin/ruby
# SPDX-License-Identifier: Apache-2.0
# Charges cards, up to their limit.
require 'json'
require 'webrick'

LIMIT_CENTS = { 'gold' => 100_000, 'student' => 1_000 }.freeze

server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: 0)

server.mount_proc '/charge' do |request, response|
  charge = JSON.parse(request.body)

  if charge['cents'] <= LIMIT_CENTS.fetch(charge['card'], 0)
    response.body = JSON.generate(charged: charge['cents'])
  else
    response.status = 402
    response.body = JSON.generate(message: 'card declined')
  end
  response.content_type = 'application/json'

  $stdout.syswrite(JSON.generate(
    method: request.request_method, path: request.path,
    status: response.status,
    headers: request.header.transform_values { |values| values.join(', ') }
  ) + "\n")
end

trap('INT') { server.shutdown }
$stdout.syswrite("listening on http://127.0.0.1:#{server.config[:Port]}\n")
server.start

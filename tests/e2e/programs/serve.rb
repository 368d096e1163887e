# SPDX-License-Identifier: Apache-2.0
# serve.rb PORT BACK: /N asks BACK for /call/N, and answers with N.
require "net/http"
require "webrick"

port, back = ARGV
log = WEBrick::Log.new(File::NULL)
server = WEBrick::HTTPServer.new(BindAddress: "127.0.0.1", Port: port.to_i,
                                 Logger: log, AccessLog: [])
server.mount_proc("/") do |request, answer|
  answer.body = Net::HTTP.get(URI(back + "/call" + request.path))
end
trap("TERM") { server.shutdown }
server.start

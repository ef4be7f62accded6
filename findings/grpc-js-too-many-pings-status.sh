#!/usr/bin/env bash
# @grpc/grpc-js tells "too many pings" to a call as a lack of memory or bandwidth, and keeps what it learnt to the channel.
#
# A gRPC server ends a connection whose keepalive pings come too often with GOAWAY ENHANCE_YOUR_CALM and the text
# `too_many_pings` (gRFC A8). One would expect the streams of that connection to end with UNAVAILABLE, as for any other
# connection that goes away, or with a text that names pings. A stream that the server had already answered ends with
# RESOURCE_EXHAUSTED "Bandwidth exhausted or memory limit exceeded", which callers take for a quota, and which the usual
# retry policies leave alone. The same connection ended with GOAWAY NO_ERROR gives UNAVAILABLE. That pings were the reason stands on
# standard error alone, with the longer interval that the channel goes on with. A new channel to the same server begins with
# the old interval, as the second round shows. Seen with 1.14.7 on Node 20.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --prefix "$folder" --no-audit --no-fund --silent @grpc/grpc-js@1.14.7
cd "$folder"
cat > round.js <<'ROUND'
const http2 = require('node:http2');
const grpc = require('@grpc/grpc-js');

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_NO_ERROR } = http2.constants;

/** Answers a call, says GOAWAY and then ends the connection, as servers do. */
function serve(code, text, done) {
  const server = http2.createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    const { session } = stream;
    setTimeout(() => {
      session.goaway(code, 0, Buffer.from(text));
      setTimeout(() => session.destroy(), 100);
    }, 50);
  });
  server.listen(0, '127.0.0.1', () => done(server));
}

function round(name, code, text) {
  return new Promise((resolve) => {
    serve(code, text, (server) => {
      const address = `127.0.0.1:${server.address().port}`;
      const client = new grpc.Client(address, grpc.credentials.createInsecure(), { 'grpc.keepalive_time_ms': 30000 });
      const same = (bytes) => bytes;
      const call = client.makeServerStreamRequest('/some.Service/Watch', same, same, Buffer.alloc(0));
      call.on('data', () => {});
      call.on('error', ({ code: status, details }) => {
        console.log(`${name}: ${grpc.status[status]} (${details})`);
        client.close();
        server.close(resolve);
      });
    });
  });
}

(async () => {
  await round('too many pings', NGHTTP2_ENHANCE_YOUR_CALM, 'too_many_pings');
  await round('too many pings, new channel', NGHTTP2_ENHANCE_YOUR_CALM, 'too_many_pings');
  await round('going away', NGHTTP2_NO_ERROR, '');
})();
ROUND
seen=$(node round.js 2>&1 | sed -E 's/127\.0\.0\.1:[0-9]+/ADDRESS/g; s/dns:ADDRESS/ADDRESS/')
printf '%s\n' "$seen"
grep -qx 'too many pings: RESOURCE_EXHAUSTED (Bandwidth exhausted or memory limit exceeded)' <<< "$seen"
grep -qx 'going away: UNAVAILABLE (Connection dropped)' <<< "$seen"
[ "$(grep -c 'Increasing ping interval to 60000 ms' <<< "$seen")" = 2 ]

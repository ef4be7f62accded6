// Runs in the network namespace of a router and passes on what is at its addresses to sockets of the lab, which lives
// in another one: a path is seen from every network namespace. Arguments: pairs of ADDRESS:PORT and the path of a
// socket. Prints a line when it listens; ends when its standard input does.
const net = require('node:net');

const pairs = process.argv.slice(2);
const listeners = [];
for (let at = 0; at < pairs.length; at += 2) {
  const [host, port] = pairs[at].split(':');
  const path = pairs[at + 1];
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = net.connect({ path, allowHalfOpen: true });
    near.pipe(far).pipe(near);
    // Whatever becomes of one side becomes of the other.
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.resetAndDestroy()).on('close', () => near.destroy());
  });
  listeners.push(new Promise((resolve) => server.listen(Number(port), host, resolve)));
}
Promise.all(listeners).then(() => process.stdout.write('listening\n'));
process.stdin.resume().on('end', () => process.exit(0));

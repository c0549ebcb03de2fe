/** The one command of the README, and the dig commands that it prints for copying, in a network of their own. */

import { join } from 'node:path';

import { onlyReply } from '../support/dig-output.ts';
import { OUTSIDE_ADDRESSES, TestNetwork } from '../support/namespace.ts';
import { NAMESPACES, needing } from '../support/needing.ts';
import { run, Running } from '../support/programs.ts';
import { ROOT } from '../support/server.ts';

const demo = needing(NAMESPACES, 'dig');

for (const [situation, nameserver] of [
  ['nobody listens at the nameserver', OUTSIDE_ADDRESSES.resolver],
  ['there is no way to the nameserver, as on a machine without a network', '203.0.113.53'],
] as const) {
  demo(`without arguments the demo is served, and the commands it prints get answers: ${situation}`, async (t) => {
    const network = await TestNetwork.open();
    try {
      const view = await network.seeing({ '/etc/resolv.conf': `nameserver ${nameserver}\n` });
      const server = await Running.start(
        [...view, process.execPath, join(ROOT, 'server/main.ts')],
        async () => (await network.statusOf('http://127.0.0.1:1081/ready')) === 200,
      );
      try {
        const commands = server.log.match(/^ +dig .*$/gm) ?? [];
        t.is(commands.length, 3);
        for (const command of commands.slice(0, 2)) {
          for (const transport of ['+notcp', '+tcp']) {
            const { code, stdout } = await run([...network.cluster, ...command.trim().split(' '), transport]);
            t.is(code, 0);
            const reply = onlyReply(stdout);
            t.is(reply.status, 'NOERROR', command);
            t.true(reply.answer.length > 0, command);
          }
        }
        // The third goes to the world outside, where nobody is: an error that says so.
        const { stdout } = await run([...network.cluster, ...(commands[2] ?? '').trim().split(' ')]);
        const outside = onlyReply(stdout);
        t.is(outside.status, 'SERVFAIL');
        t.true(
          outside.edns.some((line) => /^EDE: 2[23] /.test(line)),
          stdout,
        );
        t.notRegex(server.log, /a fault of fivedots/);
        t.is(await network.statusOf('http://127.0.0.1:1080/health'), 200);
        t.is(await network.statusOf('http://127.0.0.1:1082/metrics'), 200);
      } finally {
        t.is(await server.stop(), 0);
      }
    } finally {
      await network.close();
    }
  });
}

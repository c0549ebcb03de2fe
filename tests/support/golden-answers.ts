/**
 * A program: asks what the golden file in its argument asks, over UDP and over TCP, and prints the replies as JSON. For
 * tests that run it where the machine has other addresses; knows nothing of what is expected.
 */

import { readFileSync } from 'node:fs';

import { parseGolden } from './golden-file.ts';
import { askCase, GoldenServers } from './golden-servers.ts';
import { decodeReply, presentReply, type PresentedReply } from './present.ts';

const path = process.argv[2] ?? '';
const file = parseGolden(readFileSync(path, 'utf8'), path);
const servers = new GoldenServers();
const replies: PresentedReply[] = [];
try {
  const server = await servers.addressOf(file);
  for (const golden of file.cases) {
    for (const protocol of golden.protocols) {
      const { reply } = await askCase(server, golden, protocol);
      replies.push(presentReply(decodeReply(reply)));
    }
  }
} finally {
  await servers.close();
}
process.stdout.write(JSON.stringify(replies));

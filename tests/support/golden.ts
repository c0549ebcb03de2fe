/**
 * `npm run golden`: asks what the golden files ask and writes down what the server says. The difference is the review; an
 * expectation is written from the specification first.
 */

import { writeFile } from 'node:fs/promises';

import { rewriteGolden } from './golden-file.ts';
import { askCase, GoldenServers, readGoldenFiles } from './golden-servers.ts';
import { decodeReply, presentReply, type PresentedReply } from './present.ts';

const servers = new GoldenServers();
let changed = 0;
try {
  for (const file of readGoldenFiles()) {
    const server = await servers.addressOf(file);
    const replies: PresentedReply[] = [];
    for (const golden of file.cases) {
      const { reply } = await askCase(server, golden, golden.protocols[0] ?? 'udp');
      replies.push(presentReply(decodeReply(reply)));
    }
    const text = rewriteGolden(file.text, file.path, replies);
    if (text === file.text) continue;
    changed++;
    await writeFile(file.path, text);
    process.stdout.write(`${file.name} changed\n`);
  }
} finally {
  await servers.close();
}
process.stdout.write(`${changed} files changed; look at each line with git diff\n`);

/** Zones given to other people's programs: dig and kdig ask for them, Knot and NSD serve them as secondaries. */

import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ExecutionContext } from 'ava';

import { startAuthority, type Authority } from '../support/authorities.ts';
import { exchange, type ServerAddress } from '../support/client.ts';
import { onLoopback } from '../support/outside-world.ts';
import { decodeReply, presentReply } from '../support/present.ts';
import { needing } from '../support/needing.ts';
import { run, until } from '../support/programs.ts';
import { asked, encodeQuery, type AskedEdns } from '../support/query.ts';
import { ROOT, startServer, type StartedServer } from '../support/server.ts';
import { receiveZone } from '../support/zone-transfer.ts';

const ZONES = ['cluster.local', 'in-addr.arpa', 'ip6.arpa'];

const COREFILE = `.:{$PORT} {
  bind 127.0.0.1
  log
  ready 127.0.0.1:{$READY_PORT}
  kubernetes ${ZONES.join(' ')} {
    manifests {$CLUSTER}
    pods verified
  }
  transfer {
    to 127.0.0.1
  }
}
`;

type Primary = { readonly server: StartedServer; readonly address: ServerAddress; readonly manifests: string };

/** The demo cluster in a folder of its own, which a test may change. */
async function primary(t: ExecutionContext): Promise<Primary> {
  const manifests = await mkdtemp(join(tmpdir(), 'cluster-'));
  await cp(join(ROOT, 'fixtures/clusters/demo'), manifests, { recursive: true });
  const server = await startServer({ corefile: { text: COREFILE }, environment: { CLUSTER: manifests } });
  t.teardown(async () => {
    await server.close();
    await rm(manifests, { recursive: true });
  });
  return { server, address: { host: '127.0.0.1', port: server.port }, manifests };
}

for (const program of ['dig', 'kdig']) {
  needing(program)(`${program} gets a zone with AXFR, and with IXFR from an old serial`, async (t) => {
    const { address } = await primary(t);
    for (const zone of ZONES) {
      const { records } = await receiveZone(address, zone);
      for (const type of ['AXFR', 'IXFR=1']) {
        const { code, stdout } = await ask(program, address, zone, type);
        t.is(code, 0);
        const lines = stdout.split('\n').filter((line) => line !== '' && !line.startsWith(';'));
        t.is(lines.length, records.length);
        t.regex(lines[0] ?? '', /\sSOA\s/);
        t.is(lines.at(-1), lines[0]);
      }
    }
  });

  needing(program)(
    `${program} with the newest serial gets one SOA record, and from another address nothing`,
    async (t) => {
      const { address, server } = await primary(t);
      const { stdout } = await ask(program, address, 'cluster.local', 'SOA');
      const serial = /hostmaster\.cluster\.local\. (\d+)/.exec(stdout)?.[1] ?? '';
      const { stdout: news } = await ask(program, address, 'cluster.local', `IXFR=${serial}`);
      t.is(news.match(/\sSOA\s/g)?.length, 1);
      t.false(news.includes('dns-version'));
      const refused = await ask(program, address, 'cluster.local', 'AXFR', '-b', '127.0.0.2');
      t.false(refused.stdout.includes('dns-version'));
      await until('the log has the refusal', () =>
        /127\.0\.0\.2:\d+ - \d+ "AXFR IN cluster\.local\. tcp .*" REFUSED/.test(server.log()),
      );
    },
  );
}

for (const authority of ['knotd', 'nsd'] as const) {
  needing(authority)(
    `${authority} as a secondary answers as its primary does, and goes on when the cluster changes`,
    async (t) => {
      const { address, server, manifests } = await primary(t);
      const secondary = await secondaryOf(t, authority, address);
      await until(`${authority} has all zones`, async () =>
        (await Promise.all(ZONES.map((zone) => has(secondary, zone)))).every(Boolean),
      );
      await haveSameAnswers(t, address, secondary);
      await writeFile(join(manifests, 'late.yaml'), LATE);
      await until('the primary has the new service', async () => has(address, 'late.shop.svc.cluster.local'));
      for (const name of ['late.shop.svc.cluster.local', '99.12.96.10.in-addr.arpa']) {
        await until(`${authority} has ${name}`, async () => has(secondary, name));
      }
      await haveSameAnswers(t, address, secondary);
      // It asked for what is new, and got all of it.
      await until('the log has an IXFR', () => /"IXFR IN cluster\.local\. tcp .*" NOERROR/.test(server.log()));
    },
  );
}

const LATE = `apiVersion: v1
kind: Service
metadata:
  name: late
  namespace: shop
spec:
  clusterIP: 10.96.12.99
  clusterIPs: [10.96.12.99]
  ports:
    - name: http
      port: 80
`;

async function secondaryOf(t: ExecutionContext, authority: Authority, primary: ServerAddress): Promise<ServerAddress> {
  const zones = ZONES.map((name) => ({ name, primary }));
  const secondary = await startAuthority(authority, await onLoopback(), zones);
  t.teardown(() => secondary.stop());
  return secondary.address;
}

/** Does the name exist, as far as that server knows? Over UDP, for NSD closes its connections when it has taken a zone over. */
async function has(server: ServerAddress, name: string): Promise<boolean> {
  const { rcode, flags } = decodeReply(await exchange(server, 'udp', encodeQuery(1, asked(name, 'SOA'))));
  return rcode === 0 && flags.includes('aa');
}

/** To a question for each name and type of the zones. Both servers have the same serial, or they are asked again. */
async function haveSameAnswers(t: ExecutionContext, primary: ServerAddress, secondary: ServerAddress): Promise<void> {
  const zones = await Promise.all(ZONES.map((zone) => receiveZone(primary, zone)));
  const questions = new Set(zones.flatMap(({ records }) => records.map(({ name, type }) => `${name} ${type}`)));
  t.true(questions.size > 100);
  const [first, second] = await Promise.all([answers(primary, [...questions]), answers(secondary, [...questions])]);
  t.deepEqual(second, first);
}

async function answers(server: ServerAddress, questions: readonly string[]): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const [id, question] of questions.entries()) {
    const [name = '', type = ''] = question.split(' ');
    const query = encodeQuery(id, asked(name, type, { recursionDesired: false, edns: EDNS }));
    const { reply, answer } = presentReply(decodeReply(await exchange(server, 'udp', query)));
    answers.push(`${question}: ${reply} ${answer.join(', ')}`);
  }
  return answers;
}

const EDNS: AskedEdns = { payloadSize: 1232, version: 0, dnssecOk: false, reserved: 0, options: [] };

function ask(program: string, { host, port }: ServerAddress, name: string, type: string, ...more: readonly string[]) {
  return run([program, `@${host}`, '-p', String(port), '+tcp', ...more, name, type]);
}

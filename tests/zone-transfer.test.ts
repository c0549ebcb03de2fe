/** Whole zones from outside (RFC 5936): every record that a question gets, and no other. */

import test from 'ava';

import { TcpConnection } from './support/client.ts';
import { GoldenServers, readGoldenFiles } from './support/golden-servers.ts';
import { decodeReply, presentRecord } from './support/present.ts';
import { asked, encodeQuery } from './support/query.ts';
import { receiveZone } from './support/zone-transfer.ts';

const servers = new GoldenServers();
test.after.always('servers end', async () => servers.close());

const EXAMPLE = 'fixtures/clusters/example';
const SETTING = { cluster: EXAMPLE, corefile: 'fixtures/corefiles/golden-transfer.corefile' };
const ZONES = ['cluster.local', 'in-addr.arpa', 'ip6.arpa'];

for (const zone of ZONES) {
  test(`${zone}: SOA first and last, nothing twice, all of it authoritative and inside the zone`, async (t) => {
    const { messages, records } = await receiveZone(await servers.addressOf(SETTING), zone);
    for (const { flags, rcode, authority, additional } of messages) {
      t.deepEqual({ flags, rcode, authority, additional }, { flags: ['aa'], rcode: 0, authority: [], additional: [] });
    }
    const lines = records.map(presentRecord);
    t.is(records[0]?.type, 'SOA');
    t.deepEqual(records.at(-1), records[0], 'with the same serial');
    t.is(new Set(lines).size, lines.length - 1);
    for (const { name } of records) t.true(`.${name}`.endsWith(`.${zone}`), name);
  });

  test(`${zone}: a question for each of its names and types gets what was transferred, with the TTL`, async (t) => {
    const server = await servers.addressOf(SETTING);
    const { records } = await receiveZone(server, zone);
    const sets = Map.groupBy(records.slice(1), ({ name, type }) => `${name} ${type}`);
    const connection = await TcpConnection.open(server);
    const questions = [...sets.keys()].map((key) => key.split(' '));
    connection.send(...questions.map(([name = '', type = ''], id) => encodeQuery(id, asked(name, type))));
    for (const [id, set] of [...sets.values()].entries()) {
      const { answer } = decodeReply(await connection.replyTo(id));
      t.deepEqual(answer.map(presentRecord).toSorted(), set.map(presentRecord).toSorted());
    }
    connection.close();
  });
}

test('every record that the golden answers about this cluster have is in a zone', async (t) => {
  const server = await servers.addressOf(SETTING);
  const zones = await Promise.all(ZONES.map(async (zone) => receiveZone(server, zone)));
  const transferred = new Set(
    zones.flatMap(({ records }) => records.map((record) => presentRecord(record).toLowerCase())),
  );
  const corefiles = ['golden-default', 'golden-pods-verified'].map((name) => `fixtures/corefiles/${name}.corefile`);
  const expected = readGoldenFiles()
    .filter(({ cluster, corefile }) => cluster === EXAMPLE && corefiles.includes(corefile))
    .flatMap(({ cases }) => cases.flatMap((each) => each.expected.answer))
    .map((line) => line.toLowerCase())
    .filter((line) => ZONES.some((zone) => line.split(' ')[0]?.endsWith(`.${zone}.`)) && canBeListed(line));
  t.true(expected.length > 50, `${expected.length} records to look for`);
  t.deepEqual(
    expected.filter((line) => !transferred.has(line) && !line.endsWith(' local')),
    [],
  );
});

/** `_port._protocol` is answered with either underscore missing too; those names are in no list. */
function canBeListed(line: string): boolean {
  const [, port = '', protocol = ''] = /^([^.]+)\.(_?(?:tcp|udp|sctp))\./.exec(line) ?? [];
  return protocol === '' || (port.startsWith('_') && protocol.startsWith('_'));
}

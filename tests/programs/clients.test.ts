/** dig, kdig, host and nslookup ask the demo cluster, as an operator does; what they print is looked at. */

import test from 'ava';

import { onlyReply, printedReplies } from '../support/dig-output.ts';
import { startDemoServer, type DemoServer } from '../support/demo-server.ts';
import { needing } from '../support/needing.ts';
import { run, type Finished } from '../support/programs.ts';
import { startStaticUpstream, type StaticUpstream } from '../support/static-upstream.ts';

const OUTSIDE = `
  .                      300 IN SOA a.root-servers.net. nstld.example.net. 1 7200 3600 1209600 300
  example.com.           300 IN SOA ns.example.com. hostmaster.example.com. 1 7200 3600 1209600 300
  payments.example.com.  300 IN A   203.0.113.20
`;

let upstream: StaticUpstream;
let server: DemoServer;
test.before('the demo cluster is served', async () => {
  upstream = await startStaticUpstream(OUTSIDE);
  server = await startDemoServer(upstream.address);
});
test.after.always('servers end', async () => {
  await server?.close();
  await upstream?.close();
});

const WEB = 'web.shop.svc.cluster.local';
const WEB_AAAA_REVERSE = '0.5.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.6.9.0.0.0.0.d.f.ip6.arpa';

/** One row for each record type that the demo has. */
const RECORDS: readonly { readonly name: string; readonly type: string; readonly answer: readonly string[] }[] = [
  { name: WEB, type: 'A', answer: [`${WEB}. 30 IN A 10.96.12.80`] },
  { name: WEB, type: 'AAAA', answer: [`${WEB}. 30 IN AAAA fd00:96::c50`] },
  {
    name: 'db.shop.svc.cluster.local',
    type: 'A',
    answer: ['10.244.1.60', '10.244.2.60', '10.244.3.60'].map((ip) => `db.shop.svc.cluster.local. 30 IN A ${ip}`),
  },
  {
    name: `_https._tcp.${WEB}`,
    type: 'SRV',
    answer: [`_https._tcp.${WEB}. 30 IN SRV 0 50 443 ${WEB}.`],
  },
  {
    name: 'gateway.payments.svc.cluster.local',
    type: 'CNAME',
    answer: ['gateway.payments.svc.cluster.local. 30 IN CNAME payments.example.com.'],
  },
  {
    name: '80.12.96.10.in-addr.arpa',
    type: 'PTR',
    answer: [`80.12.96.10.in-addr.arpa. 30 IN PTR ${WEB}.`],
  },
  { name: WEB_AAAA_REVERSE, type: 'PTR', answer: [`${WEB_AAAA_REVERSE}. 30 IN PTR ${WEB}.`] },
  {
    name: 'dns-version.cluster.local',
    type: 'TXT',
    answer: ['dns-version.cluster.local. 28800 IN TXT "1.1.0"'],
  },
  {
    name: 'cluster.local',
    type: 'SOA',
    answer: ['cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. SERIAL 7200 1800 86400 30'],
  },
  { name: 'cluster.local', type: 'NS', answer: ['cluster.local. 30 IN NS ns.dns.cluster.local.'] },
];

for (const program of ['dig', 'kdig']) {
  const asks = needing(program);
  for (const transport of ['UDP', 'TCP']) {
    for (const { name, type, answer } of RECORDS) {
      asks(`${program} gets ${name} ${type} over ${transport}`, async (t) => {
        const { code, stdout } = await dig(program, transport === 'TCP' ? '+tcp' : '+notcp', name, type);
        t.is(code, 0);
        const reply = onlyReply(stdout);
        t.is(reply.status, 'NOERROR');
        t.true(reply.flags.includes('aa'));
        t.is(reply.transport, transport);
        t.deepEqual(reply.answer.map(withoutSerial).toSorted(), answer.toSorted());
      });
    }
  }

  asks(`${program} gets NODATA and NXDOMAIN with the zone's SOA`, async (t) => {
    for (const [name, type, status] of [
      ['cart.shop.svc.cluster.local', 'AAAA', 'NOERROR'],
      ['shop.svc.cluster.local', 'A', 'NOERROR'],
      ['missing.shop.svc.cluster.local', 'A', 'NXDOMAIN'],
    ] as const) {
      const { code, stdout } = await dig(program, name, type);
      t.is(code, 0);
      const reply = onlyReply(stdout);
      t.is(reply.status, status);
      t.deepEqual(reply.answer, []);
      t.is(reply.authority.length, 1);
      t.regex(reply.authority[0] ?? '', /^cluster\.local\. 30 IN SOA ns\.dns\.cluster\.local\. /);
    }
  });

  asks(`${program} -x finds the Service of an address`, async (t) => {
    t.is((await dig(program, '+short', '-x', '10.96.12.80')).stdout, `${WEB}.\n`);
    t.is((await dig(program, '+short', '-x', 'fd00:96::c50')).stdout, `${WEB}.\n`);
  });

  asks(`${program} +short prints an ExternalName's chain`, async (t) => {
    const { stdout } = await dig(program, '+short', 'gateway.payments.svc.cluster.local');
    t.is(stdout, 'payments.example.com.\n203.0.113.20\n');
  });

  asks(`${program} +tcp +keepopen asks several questions on one connection`, async (t) => {
    const words = ['+tcp', '+keepopen', WEB, 'A', WEB, 'AAAA', 'cart.shop.svc.cluster.local', 'A'];
    const { code, stdout } = await dig(program, ...words);
    t.is(code, 0);
    t.deepEqual(
      printedReplies(stdout).map(({ answer, transport }) => [...answer, transport]),
      [
        [`${WEB}. 30 IN A 10.96.12.80`, 'TCP'],
        [`${WEB}. 30 IN AAAA fd00:96::c50`, 'TCP'],
        ['cart.shop.svc.cluster.local. 30 IN A 10.96.140.7', 'TCP'],
      ],
    );
  });

  asks(`${program} ANY gets one answer and it is not large`, async (t) => {
    const { code, stdout } = await dig(program, WEB, 'ANY', '+notcp');
    t.is(code, 0);
    const reply = onlyReply(stdout);
    t.is(reply.status, 'NOERROR');
    t.deepEqual(reply.answer, []);
    t.is(reply.authority.length, 1);
  });

  asks(`${program} CH TXT version.bind is refused`, async (t) => {
    const reply = onlyReply((await dig(program, 'version.bind', 'TXT', 'CH')).stdout);
    t.is(reply.status, 'REFUSED');
    t.deepEqual([...reply.answer, ...reply.authority, ...reply.additional], []);
  });

  asks(`${program} AXFR is refused`, async (t) => {
    const { stdout, stderr } = await dig(program, 'cluster.local', 'AXFR');
    t.regex(stdout + stderr, program === 'dig' ? /; Transfer failed\./ : /REFUSED/);
    t.notRegex(stdout, /\bIN A\b/);
  });

  for (const option of [
    '+nsid',
    '+subnet=192.0.2.0/24',
    '+ednsopt=100',
    '+ednsopt=65001:deadbeef',
    '+cookie',
    '+dnssec',
    '+bufsize=4096',
    '+bufsize=512',
  ]) {
    asks(`${program} ${option}: the answer, an OPT record of our size and no option in it`, async (t) => {
      const { code, stdout } = await dig(program, option, WEB);
      t.is(code, 0);
      const reply = onlyReply(stdout);
      t.is(reply.status, 'NOERROR');
      t.deepEqual(reply.answer, [`${WEB}. 30 IN A 10.96.12.80`]);
      t.is(reply.edns.length, 1, 'no option comes back, RFC 6891 section 6.1.2');
      t.regex(reply.edns[0] ?? '', program === 'dig' ? /udp: 1232$/ : /UDP size: 1232 B; ext-rcode: NOERROR$/);
    });
  }

  asks(`${program} without EDNS gets a reply without EDNS`, async (t) => {
    const reply = onlyReply((await dig(program, '+noedns', WEB)).stdout);
    t.deepEqual(reply.edns, []);
    t.deepEqual(reply.additional, []);
  });
}

const digs = needing('dig');

digs('dig +edns=1 +noednsneg gets BADVERS with the version that is known', async (t) => {
  const reply = onlyReply((await dig('dig', '+edns=1', '+noednsneg', WEB)).stdout);
  t.is(reply.status, 'BADVERS');
  t.deepEqual(reply.edns, ['EDNS: version: 0, flags:; udp: 1232']);
  t.deepEqual(reply.answer, []);
});

digs('dig +edns=1 negotiates version 0 and gets the answer', async (t) => {
  const { stdout } = await dig('dig', '+edns=1', WEB);
  t.regex(stdout, /BADVERS, retrying with EDNS version 0/);
  t.deepEqual(onlyReply(stdout).answer, [`${WEB}. 30 IN A 10.96.12.80`]);
});

digs('dig +opcode=notify and +opcode=update get NOTIMP with the opcode as it came', async (t) => {
  for (const opcode of ['NOTIFY', 'UPDATE', 'STATUS']) {
    const { stdout } = await dig('dig', '+noedns', `+opcode=${opcode}`, WEB);
    t.regex(stdout, new RegExp(`opcode: ${opcode}, status: NOTIMP`));
  }
});

digs('dig has nothing to complain of but what every .local name and every cluster answer brings', async (t) => {
  for (const transport of ['+notcp', '+tcp']) {
    const { stdout, stderr } = await dig('dig', transport, WEB);
    t.is(stderr, '');
    t.deepEqual(
      stdout
        .split('\n')
        .filter((line) => /^;; .*(warning|truncated|communications error|mismatch|extra bytes)/i.test(line)),
      [
        ';; WARNING: .local is reserved for Multicast DNS',
        // As CoreDNS: the cluster zone's answers have RA=0.
        ';; WARNING: recursion requested but not available',
      ],
    );
  }
});

const hosts = needing('host');

hosts('host prints the addresses of a Service and the name of an address', async (t) => {
  t.deepEqual(await host(WEB), [`${WEB} has address 10.96.12.80`, `${WEB} has IPv6 address fd00:96::c50`]);
  t.deepEqual(await host('10.96.12.80'), [`80.12.96.10.in-addr.arpa domain name pointer ${WEB}.`]);
  t.deepEqual(await host('-t', 'SRV', `_http._tcp.${WEB}`), [`_http._tcp.${WEB} has SRV record 0 50 80 ${WEB}.`]);
  t.deepEqual(await host('gateway.payments.svc.cluster.local'), [
    'gateway.payments.svc.cluster.local is an alias for payments.example.com.',
    'payments.example.com has address 203.0.113.20',
  ]);
});

hosts('host exits with 1 for a name that does not exist', async (t) => {
  const { code, stdout } = await run([
    'host',
    '-p',
    String(server.port),
    'missing.shop.svc.cluster.local',
    '127.0.0.1',
  ]);
  t.is(code, 1);
  t.regex(stdout, /^Host missing\.shop\.svc\.cluster\.local not found: 3\(NXDOMAIN\)$/m);
});

const nslookups = needing('nslookup');

nslookups('nslookup prints names and addresses, the server first', async (t) => {
  const { code, stdout } = await nslookup(WEB);
  t.is(code, 0);
  t.is(
    stdout,
    [
      'Server:\t\t127.0.0.1',
      `Address:\t127.0.0.1#${server.port}`,
      '',
      `Name:\t${WEB}`,
      'Address: 10.96.12.80',
      `Name:\t${WEB}`,
      'Address: fd00:96::c50',
      '\n',
    ].join('\n'),
  );
});

nslookups('nslookup prints SRV, PTR, an alias, and NXDOMAIN with exit code 1', async (t) => {
  t.regex(
    (await nslookup('-type=srv', `_http._tcp.${WEB}`)).stdout,
    /\tservice = 0 50 80 web\.shop\.svc\.cluster\.local\.$/m,
  );
  t.regex(
    (await nslookup('10.96.12.80')).stdout,
    /^80\.12\.96\.10\.in-addr\.arpa\tname = web\.shop\.svc\.cluster\.local\.$/m,
  );
  t.regex((await nslookup('gateway.payments.svc.cluster.local')).stdout, /canonical name = payments\.example\.com\.$/m);
  const missing = await nslookup('missing.shop.svc.cluster.local');
  t.is(missing.code, 1);
  t.regex(missing.stdout, /\*\* server can't find missing\.shop\.svc\.cluster\.local: NXDOMAIN/);
});

nslookups('nslookup does not turn away from a server without recursion', async (t) => {
  t.notRegex((await nslookup(WEB)).stdout, /recursion not available|Non-authoritative/);
});

/** With the output settings left as they are. */
function dig(program: string, ...words: readonly string[]): Promise<Finished> {
  return run([program, '@127.0.0.1', '-p', String(server.port), ...words]);
}

async function host(...words: readonly string[]): Promise<string[]> {
  const { stdout } = await run(['host', '-p', String(server.port), ...words, '127.0.0.1']);
  return stdout
    .slice(stdout.indexOf('\n\n') + 2)
    .trimEnd()
    .split('\n');
}

function nslookup(...words: readonly string[]): Promise<Finished> {
  return run(['nslookup', `-port=${server.port}`, ...words, '127.0.0.1']);
}

function withoutSerial(record: string): string {
  return record.replace(/( IN SOA \S+ \S+) \d+/, '$1 SERIAL');
}

/**
 * The fast part of `npm run truth`: a few thousand pairs of a cluster's state and a question, and proof that a server that is
 * wrong is found out, for each kind of difference there is.
 */

import { setImmediate } from 'node:timers/promises';

import test, { type ExecutionContext } from 'ava';

import type { Count } from '../../zones/units.ts';
import { FLAG } from '../support/message-octets.ts';
import type { RawObject } from '../support/raw-objects.ts';
import type { Replies } from './asker.ts';
import { caseOf, PAIRS_PER_CASE } from './cases.ts';
import { keyOf, type Delivery } from './events.ts';
import { report } from './report.ts';
import { shrink, type Found } from './shrink.ts';
import { Fivedots, type Subject } from './subject.ts';
import { play, type DifferenceKind } from './trial.ts';

/** Any numbers; each gives other clusters, histories and questions. */
const SEEDS: readonly number[] = [1, 2, 3, 6];
/** Of each seed; in every other one there is search completion. */
const CASES = 16;
/** Less than a tenth of what there are. */
const COMPLETIONS_MIN: Count = 20;

for (const seed of SEEDS) {
  test.serial(
    `${CASES * PAIRS_PER_CASE} pairs of a state and a question, as the model has them: seed ${seed}`,
    async (t) => {
      const subject = await started(t);
      let completions: Count = 0;
      let expressCompletions: Count = 0;
      for (let number = 0; number < CASES; number++) {
        const played = caseOf(seed, number);
        const { pairs, differences, ...completed } = await play(subject, played);
        t.is(pairs, PAIRS_PER_CASE);
        completions += completed.completions;
        expressCompletions += completed.expressCompletions;
        const [difference] = differences;
        if (difference === undefined) continue;
        const found = await shrink(subject, { played, difference });
        t.fail(report(found, subject.corefile(found.played.setting), `case ${number} of seed ${seed}`));
        break;
      }
      t.true(subject.expressReplies > CASES * PAIRS_PER_CASE, `only ${subject.expressReplies} from the express lane`);
      t.true(completions > COMPLETIONS_MIN, `only ${completions} completed`);
      t.true(expressCompletions > COMPLETIONS_MIN, `only ${expressCompletions} completed from the express lane`);
    },
  );
}

/** What a server could get wrong, and the kind of difference that it then has. */
const WRONG: readonly {
  readonly title: string;
  readonly kind: DifferenceKind;
  readonly make: (subject: Subject) => Subject;
}[] = [
  { title: 'sees another address in a cluster IP', kind: 'answer', make: withOtherAddresses },
  { title: 'shows the changes of a batch one by one', kind: 'torn', make: tearing },
  { title: 'begins anew with each batch, and so with its serial', kind: 'serial', make: beginningAnew },
  { title: 'loses an object when all are listed again', kind: 'again', make: losing },
  { title: 'believes the first that it hears of an object', kind: 'order', make: believing },
  { title: 'leaves a record out of a zone', kind: 'transfer', make: withholding },
  { title: 'says once more what was prepared, whatever came between', kind: 'lane', make: remembering },
  { title: 'points from a denial to another place in the message', kind: 'lane', make: pointingElsewhere },
  { title: 'writes other TTLs in the express lane', kind: 'lane', make: withOtherTtls },
  { title: 'logs a fault', kind: 'fault', make: (subject) => ({ ...face(subject), complaints: ['a fault'] }) },
];

for (const { title, kind, make } of WRONG) {
  test.serial(`found out: a server that ${title}`, async (t) => {
    const subject = make(await started(t));
    for (let number = 0; number < CASES_MAX; number++) {
      const { differences } = await play(subject, caseOf(1, number));
      if (differences.some((each) => each.kind === kind)) return t.pass();
    }
    return t.fail(`no difference of the kind "${kind}" in ${CASES_MAX} cases`);
  });
}

/** A wrong server that is not found out in so many is not found out. */
const CASES_MAX = 40;

test('equal numbers give equal cases, others give others', (t) => {
  t.deepEqual(caseOf(3, 5), caseOf(3, 5));
  t.notDeepEqual(caseOf(3, 5), caseOf(3, 6));
  t.notDeepEqual(caseOf(3, 5), caseOf(4, 5));
});

test('what fails is made small: the cluster that is left is what the difference needs', async (t) => {
  const subject = withOtherAddresses(await started(t));
  const { played, difference } = await firstDifference(subject, 'another answer section');
  const { moments } = (await shrink(subject, { played, difference })).played;
  t.is(moments.length, 1);
  t.is(moments[0]?.questions.length, 1);
  const objects = moments.flatMap(({ deliveries }) =>
    deliveries.flatMap((delivery) => (delivery.verb === 'list' ? delivery.objects : [delivery.object])),
  );
  // A Service and its namespace, and perhaps an endpoint that has the address too, with its own.
  t.true(objects.length <= 4, JSON.stringify(objects));
  t.true(objects.some(({ kind }) => kind === 'Service'));
});

async function firstDifference(subject: Subject, title: string): Promise<Found> {
  for (let number = 0; ; number++) {
    const played = caseOf(1, number);
    const { differences } = await play(subject, played);
    const difference = differences.find((each) => each.title === title);
    if (difference !== undefined) return { played, difference };
  }
}

async function started(t: ExecutionContext): Promise<Fivedots> {
  const subject = await Fivedots.start();
  t.teardown(() => subject.close());
  return subject;
}

/** The server from outside, to be changed in parts. */
function face(subject: Subject): Subject {
  return {
    complaints: subject.complaints,
    configure: (setting) => subject.configure(setting),
    deliver: (deliveries) => subject.deliver(deliveries),
    pass: (span) => subject.pass(span),
    ask: (queries, patience) => subject.ask(queries, patience),
    askPlain: (queries, patience) => subject.askPlain(queries, patience),
    transfer: (zone) => subject.transfer(zone),
    get expressReplies() {
      return subject.expressReplies;
    },
  };
}

function withOtherAddresses(subject: Subject): Subject {
  const spoiled = (object: RawObject): RawObject => {
    const { clusterIPs, ...spec } = (object['spec'] ?? {}) as Record<string, unknown>;
    const isSpoiled =
      object.kind === 'Service' && Array.isArray(clusterIPs) && String(clusterIPs[0]).startsWith('10.0.');
    return isSpoiled ? { ...object, spec: { ...spec, clusterIPs: ['10.9.9.9'] } } : object;
  };
  return {
    ...face(subject),
    deliver: (deliveries) => subject.deliver(deliveries.map((delivery) => withObjects(delivery, spoiled))),
  };
}

function tearing(subject: Subject): Subject {
  return {
    ...face(subject),
    async deliver(deliveries) {
      for (const delivery of deliveries) {
        await subject.deliver([delivery]);
        for (let turn = 0; turn < 4; turn++) await setImmediate();
      }
    },
  };
}

function beginningAnew(subject: Subject): Subject {
  let all: readonly Delivery[] = [];
  let begin = (): Promise<void> => Promise.resolve();
  return {
    ...face(subject),
    configure(setting) {
      all = [];
      begin = () => subject.configure(setting);
      return begin();
    },
    async deliver(deliveries) {
      all = [...all, ...deliveries];
      await begin();
      await subject.deliver(all);
    },
    pass: () => {},
  };
}

function withholding(subject: Subject): Subject {
  return {
    ...face(subject),
    async transfer(zone) {
      const messages = await subject.transfer(zone);
      const isHeld = (type: string): boolean => type !== 'SOA' && type !== 'NS' && type !== 'TXT';
      return messages.map((message) => {
        const at = message.answer.findIndex(({ type }) => isHeld(type));
        return at === -1 ? message : { ...message, answer: message.answer.toSpliced(at, 1) };
      });
    },
  };
}

function losing(subject: Subject): Subject {
  const listed = new Set<string>();
  return {
    ...face(subject),
    configure(setting) {
      listed.clear();
      return subject.configure(setting);
    },
    deliver: (deliveries) =>
      subject.deliver(
        deliveries.map((delivery) => {
          if (delivery.verb !== 'list') return delivery;
          const isFirst = !listed.has(delivery.kind);
          listed.add(delivery.kind);
          return isFirst ? delivery : { ...delivery, objects: delivery.objects.slice(1) };
        }),
      ),
  };
}

function believing(subject: Subject): Subject {
  const believed = new Map<string, RawObject>();
  const first = (object: RawObject): RawObject => {
    const known = believed.get(keyOf(object)) ?? object;
    believed.set(keyOf(object), known);
    return known;
  };
  return {
    ...face(subject),
    configure(setting) {
      believed.clear();
      return subject.configure(setting);
    },
    deliver: (deliveries) => subject.deliver(deliveries.map((delivery) => withObjects(delivery, first))),
  };
}

/** A lane whose leases never end. */
function remembering(subject: Subject): Subject {
  const prepared = new Map<string, Buffer>();
  return {
    ...face(subject),
    configure(setting) {
      prepared.clear();
      return subject.configure(setting);
    },
    ask: (queries) =>
      inExpressLane(subject, queries, (reply, query) => {
        const key = query.toString('latin1', 2);
        const first = prepared.get(key) ?? reply;
        prepared.set(key, first);
        return first;
      }),
  };
}

/** To the same name, where the zone stands a second time. */
function pointingElsewhere(subject: Subject): Subject {
  return {
    ...face(subject),
    ask: (queries) =>
      inExpressLane(subject, queries, (reply) => {
        const isDenial = (reply.readUInt8(3) & 15) === NXDOMAIN && reply.readUInt16BE(8) === 1;
        const end = reply.length - (reply.readUInt16BE(10) === 0 ? 0 : OPT_SIZE);
        // RNAME's pointer stands before five numbers, MNAME's before RNAME's label `hostmaster`.
        const [rname, mname] = [end - 22, end - 35];
        if (!isDenial || reply.readUInt16BE(rname) !== reply.readUInt16BE(mname)) return reply;
        const changed = Buffer.from(reply);
        changed.writeUInt16BE(0xc000 | mname, rname);
        return changed;
      }),
  };
}

/** One more, in the first record. */
function withOtherTtls(subject: Subject): Subject {
  return {
    ...face(subject),
    ask: (queries) =>
      inExpressLane(subject, queries, (reply) => {
        const ttl = reply.indexOf(0, HEADER_SIZE) + 5 + 6;
        const isShort = reply.readUInt16BE(6) > 0 && reply.readUInt8(ttl - 6) >= 0xc0;
        if (!isShort) return reply;
        const changed = Buffer.from(reply);
        changed.writeUInt32BE(reply.readUInt32BE(ttl) + 1, ttl);
        return changed;
      }),
  };
}

const HEADER_SIZE = 12;
const OPT_SIZE = 11;
const NXDOMAIN = 3;

/** Changes what is said to questions as stubs ask them. */
async function inExpressLane(
  subject: Subject,
  queries: readonly Buffer[],
  change: (reply: Buffer, query: Buffer) => Buffer,
): Promise<readonly Replies[]> {
  const replies = await subject.ask(queries);
  return replies.map(({ udp, tcp }, i) => {
    const query = queries[i];
    if (udp === undefined || tcp === undefined || query === undefined) return { udp, tcp };
    const isOrdinary = (query.readUInt16BE(2) & ~FLAG.AD) === FLAG.RD;
    return isOrdinary ? { udp, tcp: change(tcp, query) } : { udp, tcp };
  });
}

/** What is said, with the objects in it changed. */
function withObjects(delivery: Delivery, change: (object: RawObject) => RawObject): Delivery {
  if (delivery.verb === 'list') return { ...delivery, objects: delivery.objects.map(change) };
  return delivery.verb === 'put' ? { ...delivery, object: change(delivery.object) } : delivery;
}

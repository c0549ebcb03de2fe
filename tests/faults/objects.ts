/** Nothing goes wrong here but what the objects themselves say: unusual slices, and namespaces that are taken apart. */

import { rawNamespace, rawService, rawSlice } from '../support/raw-objects.ts';
import { CHANGES, type FaultCase } from './fault-case.ts';
import { events, relists } from './figures.ts';
import { clusterIP, type Stage } from './stage.ts';

/** A namespace with a ClusterIP service `web` and a headless one `peers`. */
function fillNamespace({ api }: Stage, name: string, last: number): void {
  api.put(rawNamespace(name));
  api.put(rawService(name, 'web', clusterIP(`10.96.4.${last}`)));
  api.put(rawService(name, 'peers', clusterIP('None')));
  api.put(rawSlice(name, 'peers', 'a', [{ address: `10.2.4.${last}` }]));
}

/** The namespace is still there, and so is what is in it. */
function terminate({ api }: Stage, name: string): void {
  const namespace = rawNamespace(name);
  const metadata = { ...namespace.metadata, deletionTimestamp: '2026-11-21T10:00:00Z' };
  api.put({ ...namespace, metadata, status: { phase: 'Terminating' } });
}

/** Pods end before their services. */
async function removeInsideOut(stage: Stage): Promise<void> {
  const { api } = stage;
  api.remove('EndpointSlice', 'inside', 'peers-a');
  await stage.answers('peers.inside', 'NXDOMAIN');
  await stage.answers('web.inside', '10.96.4.1');
  api.remove('Service', 'inside', 'peers');
  api.remove('Service', 'inside', 'web');
  await stage.answers('web.inside', 'NXDOMAIN');
  await stage.answers('inside', 'NODATA');
  api.remove('Namespace', '', 'inside');
  await stage.answers('inside', 'NXDOMAIN');
}

/** Services go before their slices, which a garbage collector takes away. */
async function removeServicesFirst(stage: Stage): Promise<void> {
  const { api } = stage;
  api.remove('Service', 'services', 'web');
  await stage.answers('web.services', 'NXDOMAIN');
  await stage.answers('2.4.96.10.in-addr.arpa.', 'NXDOMAIN', 'PTR');
  await stage.answers('peers.services', '10.2.4.2');
  api.remove('Service', 'services', 'peers');
  await stage.answers('peers.services', 'NXDOMAIN');
  api.remove('EndpointSlice', 'services', 'peers-a');
  await stage.answers('services', 'NODATA');
  api.remove('Namespace', '', 'services');
  await stage.answers('services', 'NXDOMAIN');
}

/** Each resource has its own watch, so the namespace may be the first that is heard of. */
async function removeNamespaceFirst(stage: Stage): Promise<void> {
  const { api } = stage;
  api.remove('Namespace', '', 'outside');
  for (const name of ['outside', 'web.outside', 'peers.outside']) await stage.answers(name, 'NXDOMAIN');
  api.remove('EndpointSlice', 'outside', 'peers-a');
  api.remove('Service', 'outside', 'peers');
  api.remove('Service', 'outside', 'web');
  await stage.answers('3.4.96.10.in-addr.arpa.', 'NXDOMAIN', 'PTR');
}

export const OBJECTS: readonly FaultCase[] = [
  {
    number: 43,
    title: 'slices of other kinds',
    server: 'has slices of IPv4, IPv6 and FQDN for one service, and conditions that are null or left out',
    play({ api }) {
      const slice = (suffix: string, addressType: string, endpoints: readonly unknown[]): void => {
        api.put(rawSlice('shop', 'db', suffix, [], { addressType, endpoints }));
      };
      // Go leaves out what is nil; null is what other clients write. Both mean ready (discovery/v1 EndpointConditions).
      // eslint-disable-next-line unicorn/no-null -- what the API sends
      slice('b', 'IPv4', [{ addresses: ['10.0.0.2'], conditions: { ready: null } }, { addresses: ['10.0.0.3'] }]);
      slice('c', 'IPv4', [{ addresses: ['10.0.0.4'], conditions: { ready: false } }]);
      slice('d', 'IPv6', [{ addresses: ['fd00::1'], conditions: {} }]);
      slice('e', 'FQDN', [{ addresses: ['db.example.org'], conditions: { ready: true } }]);
    },
    asks: [
      {
        name: 'db.shop',
        answers: ['10.0.0.1', '10.0.0.1 10.0.0.2 10.0.0.3'],
      },
      { name: 'db.shop', type: 'AAAA', answers: ['NODATA', 'fd00::1'] },
    ],
    tells: events('EndpointSlice'),
    spares: [relists()],
  },
  {
    number: 44,
    title: 'namespaces are deleted',
    server: 'marks three as Terminating and deletes what is in them, each in another order',
    prepare(stage) {
      for (const [i, name] of ['inside', 'services', 'outside'].entries()) fillNamespace(stage, name, i + 1);
    },
    async play(stage) {
      for (const name of ['inside', 'services', 'outside']) terminate(stage, name);
      // Events of one watch come in order: when this one is there, so are those before it.
      stage.api.put(rawNamespace('fence'));
      await stage.answers('fence', 'NODATA');
      stage.change();
      await removeInsideOut(stage);
      await removeServicesFirst(stage);
      await removeNamespaceFirst(stage);
    },
    asks: [
      ...CHANGES,
      { name: 'web.inside', answers: ['10.96.4.1', 'NXDOMAIN'] },
      { name: 'peers.inside', answers: ['10.2.4.1', 'NXDOMAIN'] },
      { name: 'inside', answers: ['NODATA', 'NXDOMAIN'] },
      { name: 'web.services', answers: ['10.96.4.2', 'NXDOMAIN'] },
      { name: 'peers.services', answers: ['10.2.4.2', 'NXDOMAIN'] },
      { name: 'services', answers: ['NODATA', 'NXDOMAIN'] },
      { name: 'web.outside', answers: ['10.96.4.3', 'NXDOMAIN'] },
      { name: 'peers.outside', answers: ['10.2.4.3', 'NXDOMAIN'] },
      { name: 'outside', answers: ['NODATA', 'NXDOMAIN'] },
    ],
    tells: events('Namespace'),
    spares: [relists()],
  },
];

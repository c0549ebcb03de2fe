/** A difference as people want to read it: what to load, what to ask, what came back. Knows nothing of how it was found. */

import { stringify } from 'yaml';

import { presentLabels } from '../support/presentation.ts';
import { textsOf, type CompletionSetting } from './completion-settings.ts';
import { ClusterState, type Delivery } from './events.ts';
import { sideBySide } from './lines.ts';
import type { Found } from './shrink.ts';
import type { AskedQuestion } from './questions.ts';

/**
 * @param corefile what the server was configured with
 * @param origin how to come by this case again
 */
export function report({ played, difference }: Found, corefile: string, origin: string): string {
  const { setting, moments } = played;
  const asked = moments[difference.moment]?.questions[difference.question ?? -1];
  const state = new ClusterState();
  const steps = moments.map(({ deliveries }) => {
    state.apply(deliveries);
    return deliveries;
  });
  const isSnapshot = steps.length === 1;
  return [
    `${difference.kind}: ${difference.title}`,
    `# ${origin}`,
    '',
    '# Corefile',
    corefile.trimEnd(),
    '',
    `# addresses of the server's machine: ${setting.localAddresses.join(' ') || 'none'}`,
    ...(setting.completion === undefined ? [] : completionLines(setting.completion)),
    isSnapshot ? '# the cluster' : '# what happens to the cluster',
    ...(isSnapshot
      ? [manifests(steps[0] ?? [])]
      : steps.map((deliveries, i) => `# step ${i + 1}\n${manifests(deliveries)}`)),
    '',
    ...(asked === undefined ? [] : [`# asked after step ${difference.moment + 1}`, `; ${questionLine(asked)}`]),
    ...sideBySide(difference.expected, difference.actual),
    '',
  ].join('\n');
}

function completionLines(completion: CompletionSetting): readonly string[] {
  const { nodeDomains, searches, tlds } = completion;
  const texts = textsOf(completion);
  return [
    `# search domains of the server's machine: ${nodeDomains.join(' ') || 'none'}`,
    ...(searches === undefined ? [] : [`# resolv.conf: ${JSON.stringify(texts.searches)}`]),
    ...(tlds === undefined ? [] : [`# list of TLDs: ${JSON.stringify(texts.tlds)}`]),
  ];
}

/** As `kubernetes { manifests DIR }` reads them, with what else is said in comments. */
function manifests(deliveries: readonly Delivery[]): string {
  return deliveries
    .flatMap((delivery): readonly string[] => {
      if (delivery.verb === 'remove') {
        const { kind, metadata } = delivery.object;
        return [`# gone: ${kind} ${metadata.namespace ?? ''}/${metadata.name}`];
      }
      if (delivery.verb === 'put') return [`---\n${stringify(delivery.object)}`.trimEnd()];
      return [
        `# listed: ${delivery.kind}, ${delivery.objects.length} of them`,
        ...delivery.objects.map((object) => `---\n${stringify(object)}`.trimEnd()),
      ];
    })
    .join('\n');
}

function questionLine({ question, manner }: AskedQuestion): string {
  const words = [presentLabels(question.labels), question.type, manner.recursionDesired ? 'rd' : ''];
  if (manner.checkingDisabled) words.push('cd');
  if (manner.payloadSize !== undefined && manner.option !== undefined) words.push(`option=${manner.option}`);
  if (manner.payloadSize !== undefined) words.push(`edns=${manner.payloadSize}${manner.dnssecOk ? ' do' : ''}`);
  return words.filter((word) => word !== '').join(' ');
}

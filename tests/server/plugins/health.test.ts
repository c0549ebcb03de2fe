import test from 'ava';

import { health } from '../../../server/plugins/health.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';

// CoreDNS plugin/health: :8080, no lameduck, and of several directives the last.
for (const { text, host, port, lameduck } of [
  { text: 'health', host: '', port: 8080, lameduck: 0 },
  { text: 'health {\n  lameduck 5s\n}', host: '', port: 8080, lameduck: 5_000 },
  { text: 'health :8081', host: '', port: 8081, lameduck: 0 },
  { text: 'health localhost:8080 {\n}', host: 'localhost', port: 8080, lameduck: 0 },
  { text: 'health 169.254.20.10:8080 {\n  lameduck 1m30s\n}', host: '169.254.20.10', port: 8080, lameduck: 90_000 },
  { text: 'health [2001:db8::1]:8080', host: '2001:db8::1', port: 8080, lameduck: 0 },
  { text: 'health {\n  lameduck 5s\n}\nhealth :81', host: '', port: 81, lameduck: 0 },
]) {
  test(`health: ${JSON.stringify(text)} listens on "${host}" port ${port}, lameduck ${lameduck} ms`, (t) => {
    t.deepEqual(optionsFrom(health, text), { address: { host, port }, lameduck });
  });
}

for (const { text, fault } of [
  { text: 'health 8080', fault: /^Corefile:2:8: found "8080", expected an address to listen on/ },
  { text: 'health :65536', fault: /^Corefile:2:8: found ":65536", expected an address/ },
  {
    text: 'health :8080 :8081',
    fault: /^Corefile:2:14: found ":8081", expected the end of the line: health \[ADDR\]$/,
  },
  { text: 'health {\n  lameduck\n}', fault: /^Corefile:3:3: .* expected: lameduck DURATION$/ },
  { text: 'health {\n  lameduck 5\n}', fault: /^Corefile:3:12: found "5", expected a duration with its unit/ },
  { text: 'health {\n  lameduck -5s\n}', fault: /^Corefile:3:12: found "-5s", expected a duration of at least 0ms$/ },
  { text: 'health {\n  lameduck 577h\n}', fault: /^Corefile:3:12: found "577h", expected a duration of at most 576h$/ },
  { text: 'health {\n  lamduck 5s\n}', fault: /^Corefile:3:3: found "lamduck".*did you mean "lameduck"\?$/ },
  { text: 'health :1 :2\nhealth', fault: /^Corefile:2:11: / },
]) {
  test(`health: ${JSON.stringify(text)} is refused at the word that is wrong`, (t) => {
    t.regex(faultOf(health, text) ?? 'taken', fault);
  });
}

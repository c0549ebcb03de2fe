import test from 'ava';

import { ready } from '../../../server/plugins/ready.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';

// CoreDNS plugin/ready: :8181, until-ready, once per server block.
for (const { text, host, port, monitor } of [
  { text: 'ready', host: '', port: 8181, monitor: 'until-ready' },
  { text: 'ready 127.0.0.1:9181', host: '127.0.0.1', port: 9181, monitor: 'until-ready' },
  { text: 'ready {\n  monitor continuously\n}', host: '', port: 8181, monitor: 'continuously' },
  { text: 'ready :1 {\n  monitor until-ready\n}', host: '', port: 1, monitor: 'until-ready' },
] as const) {
  test(`ready: ${JSON.stringify(text)} listens on "${host}" port ${port}, ${monitor}`, (t) => {
    t.deepEqual(optionsFrom(ready, text), { address: { host, port }, monitor });
  });
}

for (const { text, fault } of [
  { text: 'ready\nready', fault: /^Corefile:3:1: found a second "ready".* the first is on line 2$/ },
  { text: 'ready localhost', fault: /^Corefile:2:7: found "localhost", expected an address to listen on/ },
  { text: 'ready :1 :2', fault: /^Corefile:2:10: found ":2", expected the end of the line: ready \[ADDR\]$/ },
  { text: 'ready {\n  monitor\n}', fault: /^Corefile:3:3: .* expected: monitor until-ready\|continuously$/ },
  {
    text: 'ready {\n  monitor always\n}',
    fault: /^Corefile:3:11: found "always", expected until-ready or continuously$/,
  },
  { text: 'ready {\n  watch continuously\n}', fault: /^Corefile:3:3: found "watch".* expected monitor$/ },
]) {
  test(`ready: ${JSON.stringify(text)} is refused at the word that is wrong`, (t) => {
    t.regex(faultOf(ready, text) ?? 'taken', fault);
  });
}

import test from 'ava';

import { reload } from '../../../server/plugins/reload.ts';
import { faultOf, optionsFrom } from '../../support/directive.ts';

// CoreDNS plugin/reload: interval at least 2s, jitter 0 or at least 1s and never more than half of the interval.
for (const { text, interval, jitter } of [
  { text: 'reload', interval: 30_000, jitter: 15_000 },
  { text: 'reload 2s', interval: 2_000, jitter: 1_000 },
  { text: 'reload 1m', interval: 60_000, jitter: 15_000 },
  { text: 'reload 10s 1s', interval: 10_000, jitter: 1_000 },
  { text: 'reload 10s 10s', interval: 10_000, jitter: 5_000 },
  { text: 'reload 10s 0', interval: 10_000, jitter: 0 },
  { text: 'reload 10s 0s', interval: 10_000, jitter: 0 },
]) {
  test(`reload: "${text}" looks every ${interval} ms, ${jitter} ms jitter`, (t) => {
    t.deepEqual(optionsFrom(reload, text), { interval, jitter });
  });
}

for (const { text, fault } of [
  { text: 'reload 1s', fault: /^Corefile:2:8: found "1s", expected a duration of at least 2s$/ },
  { text: 'reload 30', fault: /^Corefile:2:8: found "30", expected a duration with its unit/ },
  { text: 'reload 289h', fault: /^Corefile:2:8: found "289h", expected a duration of at most 288h$/ },
  { text: 'reload 30s 999ms', fault: /^Corefile:2:12: found "999ms", expected 0 or a duration of at least 1s$/ },
  { text: 'reload 30s -1s', fault: /^Corefile:2:12: found "-1s", expected a duration of at least 0ms$/ },
  { text: 'reload 30s 15s 1s', fault: /^Corefile:2:16: found "1s", expected the end of the line/ },
  { text: 'reload {\n  jitter 1s\n}', fault: /^Corefile:3:3: found "jitter", expected no options/ },
  { text: 'reload\nreload 2s', fault: /^Corefile:3:1: found a second "reload"/ },
]) {
  test(`reload: ${JSON.stringify(text)} is refused at the word that is wrong`, (t) => {
    t.regex(faultOf(reload, text) ?? 'taken', fault);
  });
}
